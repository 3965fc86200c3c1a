package ratelimit

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-redis/redis_rate/v10"
)

// Rate is so many in so long a time, all of them at once if the time before was quiet: 100/1m. Its zero value is a
// setting that is not given.
type Rate struct {
	Count int
	Per   time.Duration
}

// Off is the rate of a limit that is switched off.
var Off = Rate{Count: -1}

// limited says whether the rate limits anything.
func (r Rate) limited() bool { return r.Count > 0 }

// times is the rate for n callers; what is off stays off.
func (r Rate) times(n int) Rate { return Rate{r.Count * n, r.Per} }

// redis is the rate as the library has it.
func (r Rate) redis() redis_rate.Limit {
	return redis_rate.Limit{Rate: r.Count, Burst: r.Count, Period: r.Per}
}

// The bounds of a rate: what goes beyond them is a slip of the pen, and no number is lost in a float.
const (
	mostCount = 1_000_000
	mostPer   = 30 * 24 * time.Hour
)

var errRate = errors.New("use a count and a time such as 100/1m, or off")

// MarshalText writes what UnmarshalText reads.
func (r Rate) MarshalText() ([]byte, error) {
	if r == (Rate{}) {
		return nil, nil
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads 100/1m, or off. Nothing is a setting that is not given.
func (r *Rate) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*r = Rate{}
		return nil
	}
	if strings.EqualFold(string(text), "off") {
		*r = Off
		return nil
	}
	count, per, _ := strings.Cut(string(text), "/")
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || n > mostCount {
		return errRate
	}
	duration, err := time.ParseDuration(per)
	if err != nil || duration < time.Second || duration > mostPer || duration%time.Second != 0 {
		return errRate // the headers of answers have whole seconds
	}
	*r = Rate{n, duration}
	return nil
}

// Most is a bound that can be switched off: 500, or off. Its zero value is a setting that is not given.
type Most int

// NoBound is a Most that is switched off.
const NoBound Most = -1

// MarshalText writes what UnmarshalText reads.
func (m Most) MarshalText() ([]byte, error) {
	switch m {
	case 0:
		return nil, nil
	case NoBound:
		return []byte("off"), nil
	}
	return []byte(strconv.Itoa(int(m))), nil
}

// UnmarshalText reads 500, or off. Nothing is a setting that is not given.
func (m *Most) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*m = 0
		return nil
	}
	if strings.EqualFold(string(text), "off") {
		*m = NoBound
		return nil
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 {
		return errors.New("use a number such as 500, or off")
	}
	*m = Most(n)
	return nil
}

// String is the rate as it is set.
func (r Rate) String() string {
	if !r.limited() {
		return "off"
	}
	return strconv.Itoa(r.Count) + "/" + r.Per.String()
}
