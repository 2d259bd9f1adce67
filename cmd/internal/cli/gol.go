package cli

import "strings"

// s6rcOptions reads a command line as s6-rc's programs do (skalibs' gol), for
// the drop-in names. It differs from getopt: options end at the first word that
// is none, a long option takes its value only after "=", a short one with a
// value that is missing is passed over, and the last one given counts.
type s6rcOptions struct {
	bools []s6rcBool
	args  []s6rcArg
}

// s6rcBool is an option without a value. A short of 0, or an empty long, means
// there is none.
type s6rcBool struct {
	short byte
	long  string
	set   func()
}

// s6rcArg is an option with a value.
type s6rcArg struct {
	short byte
	long  string
	value *string
}

// parse sets what args ask for and returns the words after the options.
func (o s6rcOptions) parse(args []string) ([]string, error) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case len(arg) < 2 || arg[0] != '-':
			return args[i:], nil
		case arg == "--":
			return args[i+1:], nil
		case arg[1] == '-':
			if err := o.long(arg[2:]); err != nil {
				return nil, err
			}
		default:
			takesNext, err := o.cluster(arg[1:], args[i+1:])
			if err != nil {
				return nil, err
			}
			if takesNext {
				i++
			}
		}
	}
	return nil, nil
}

func (o s6rcOptions) long(word string) error {
	name, value, hasValue := strings.Cut(word, "=")
	if hasValue {
		for _, a := range o.args {
			if a.long != "" && a.long == name {
				*a.value = value
				return nil
			}
		}
		return usagef("unrecognized option with argument: --%s", word)
	}
	for _, b := range o.bools {
		if b.long != "" && b.long == name {
			b.set()
			return nil
		}
	}
	return usagef("unrecognized boolean option: --%s", word)
}

// cluster reads the letters behind one dash; it reports whether the last of them
// took the next word as its value.
func (o s6rcOptions) cluster(letters string, rest []string) (takesNext bool, err error) {
	for i := range len(letters) {
		if value := o.shortArg(letters[i]); value != nil {
			switch {
			case i+1 < len(letters):
				*value = letters[i+1:]
			case len(rest) > 0 && rest[0] != "--":
				*value = rest[0]
				return true, nil
			}
			return false, nil
		}
		set := o.shortBool(letters[i])
		if set == nil {
			return false, usagef("unrecognized short option: %c", letters[i])
		}
		set()
	}
	return false, nil
}

func (o s6rcOptions) shortArg(letter byte) *string {
	for _, a := range o.args {
		if a.short == letter && letter != 0 {
			return a.value
		}
	}
	return nil
}

func (o s6rcOptions) shortBool(letter byte) func() {
	for _, b := range o.bools {
		if b.short == letter && letter != 0 {
			return b.set
		}
	}
	return nil
}
