package childtest

import (
	"reflect"
	"testing"

	"github.com/schedgen/schedgen/shared/secret"
)

func TestAConfigReachesAChildWithItsSecrets(t *testing.T) {
	t.Parallel()
	type inner struct {
		URL   secret.String
		Count int
	}
	type config struct {
		Name string
		In   inner
		Keys []secret.String
		All  []inner
		Last secret.String
	}
	want := config{"a", inner{secret.New("one"), 2}, secret.List("two", "three"), []inner{{}, {secret.New("four"), 1}}, secret.New("five")}
	text, err := EncodeConfig(want)
	if err != nil {
		t.Fatal(err)
	}
	var got config
	if err := DecodeConfig(text, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v (%s)", got, err, want, text)
	}
}
