package extract

// takes reports whether operands are of the number and kinds that an operator takes (ISO 32000-1,
// annex A), and whether it is one at all. What a damaged stream holds is often neither.
func (op operator) takes(args operands) (fits, known bool) {
	switch op {
	case "q", "Q", "h", "n", "f", "F", "f*", "S", "s", "B", "B*", "b", "b*", "W", "W*", "BT", "ET", "T*", "EMC", "BX", "EX", "BI":
		return len(args) == 0, true
	case "w", "J", "j", "M", "i", "Tc", "Tw", "Tz", "TL", "Tr", "Ts", "g", "G":
		return args.areNumbers(1), true
	case "m", "l", "Td", "TD", "d0":
		return args.areNumbers(2), true
	case "rg", "RG":
		return args.areNumbers(3), true
	case "v", "y", "re", "k", "K":
		return args.areNumbers(4), true
	case "cm", "c", "Tm", "d1":
		return args.areNumbers(6), true
	case "gs", "Do", "sh", "cs", "CS", "ri", "BMC", "MP":
		return len(args) == 1 && args.isName(0), true
	case "sc", "SC":
		return len(args) > 0 && args.areNumbers(len(args)), true
	case "scn", "SCN":
		return len(args) > 0 && (args.areNumbers(len(args)) || args.isName(len(args)-1)), true
	}
	return op.takesText(args)
}

func (op operator) takesText(args operands) (fits, known bool) {
	switch op {
	case "Tf":
		return len(args) == 2 && args.isName(0) && args[1:].areNumbers(1), true
	case "Tj", "'":
		return len(args) == 1 && args.isString(0), true
	case "\"":
		return len(args) == 3 && args[:2].areNumbers(2) && args.isString(2), true
	case "TJ":
		return len(args) == 1 && args.isText(0), true
	case "d":
		return len(args) == 2 && args[1:].areNumbers(1), true
	case "BDC", "DP":
		return len(args) == 2 && args.isName(0), true
	}
	return false, false
}

func (o operands) areNumbers(n int) bool {
	if len(o) != n {
		return false
	}
	for _, v := range o {
		if _, ok := v.(float64); !ok {
			return false
		}
	}
	return true
}

func (o operands) isName(i int) bool {
	_, ok := o[i].(name)
	return ok
}

func (o operands) isString(i int) bool {
	_, ok := o[i].(string)
	return ok
}

// isText reports whether an operand is what TJ takes: strings, and the distances between them.
func (o operands) isText(i int) bool {
	items, ok := o[i].([]any)
	for _, item := range items {
		switch item.(type) {
		case string, float64:
		default:
			return false
		}
	}
	return ok || o[i] == nil
}

// check notes that the page is damaged where an operator cannot be what was written. Between BX and EX
// unknown operators are meant to be passed over.
func (in *interpreter) check(op operator, args operands) {
	switch op {
	case "BX":
		in.lenient++
	case "EX":
		in.lenient--
	}
	if fits, known := op.takes(args); !fits && (known || in.lenient <= 0) {
		in.damaged = true
	}
}
