package journal

import "time"

// calendar reads times in quotes as [time.Time.UnmarshalJSON] does, only faster where
// the day is the one of the time before.
type calendar struct {
	date     string // "2026-11-20T, with the quote
	midnight time.Time
}

const dateLen = len(`"2026-11-20T`)

func (c *calendar) parse(text []byte) (time.Time, error) {
	if since, ok := c.sinceMidnight(text); ok {
		return c.midnight.Add(since), nil
	}
	var t time.Time
	if err := t.UnmarshalJSON(text); err != nil {
		return t, err
	}
	if t.Location() == time.UTC {
		c.date, c.midnight = string(text[:dateLen]), t.Truncate(24*time.Hour)
	}
	return t, nil
}

// sinceMidnight reads the rest of a time of the same day: 12:17:18.01Z and a quote.
func (c *calendar) sinceMidnight(text []byte) (since time.Duration, ok bool) {
	const clock, end = `12:17:18`, `Z"`
	if c.date == "" || len(text) < dateLen+len(clock)+len(end) || string(text[:dateLen]) != c.date {
		return 0, false
	}
	text = text[dateLen:]
	rest := text[len(clock) : len(text)-len(end)]
	hour, minute, second := twoDigits(text), twoDigits(text[3:]), twoDigits(text[6:])
	if hour > 23 || minute > 59 || second > 59 || text[2] != ':' || text[5] != ':' || string(text[len(clock)+len(rest):]) != end {
		return 0, false
	}
	since = time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	if len(rest) == 0 {
		return since, true
	}
	if rest[0] != '.' || len(rest) == 1 {
		return 0, false
	}
	unit := time.Second
	for _, d := range rest[1:] {
		if unit /= 10; d < '0' || d > '9' || unit == 0 {
			return 0, false
		}
		since += time.Duration(d-'0') * unit
	}
	return since, true
}

// twoDigits is the number that text begins with, or too much.
func twoDigits(text []byte) int {
	high, low := text[0]-'0', text[1]-'0'
	if high > 9 || low > 9 {
		return 100
	}
	return int(high)*10 + int(low)
}
