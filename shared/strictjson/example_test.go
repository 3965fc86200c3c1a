package strictjson_test

import (
	"fmt"
	"strings"

	"github.com/schedgen/schedgen/shared/strictjson"
)

func ExampleDecode() {
	var choices struct {
		Reminders []int `json:"reminders"`
	}
	fmt.Println(strictjson.Decode(strings.NewReader(`{"reminders": [15]}`), &choices), choices.Reminders)
	fmt.Println(strictjson.Decode(strings.NewReader(`{"remindrs": [15]}`), &choices) != nil)
	// Output:
	// <nil> [15]
	// true
}
