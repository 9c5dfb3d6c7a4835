package ingest

// RedactNHSNumbers replaces the digits of each NHS number in raw by '0's but for the last, which becomes 'X', and says how many
// there were. A number is ten digits that stand alone, together or as 3-3-4 with blanks or hyphens, whose last is the check digit by
// modulus 11 (NHS Data Dictionary, "NHS NUMBER"). One in eleven other numbers of ten digits looks like one.
func RedactNHSNumbers(raw []byte) (count int) {
	for i := 0; i+10 <= len(raw); i++ {
		if !isDigit(raw[i]) {
			continue
		}
		if i > 0 && joins(raw[i-1]) {
			i = skipWord(raw, i)
			continue
		}
		places, end, ok := number(raw, i)
		if !ok || end < len(raw) && joins(raw[end]) {
			i = skipWord(raw, i)
			continue
		}
		if checks(raw, places) {
			for _, at := range places {
				raw[at] = '0'
			}
			raw[places[9]] = 'X'
			count++
		}
		i = end
	}
	return count
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// joins says whether a byte beside a number makes it a part of something else.
func joins(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '.'
}

// skipWord is the last byte of the word at i.
func skipWord(raw []byte, i int) int {
	for i+1 < len(raw) && joins(raw[i+1]) {
		i++
	}
	return i
}

// number is where the ten digits are that begin at i, and where they end.
func number(raw []byte, i int) (places [10]int, end int, ok bool) {
	var between byte
	for n := range places {
		if n == 3 && i < len(raw) && (raw[i] == ' ' || raw[i] == '-') {
			between = raw[i]
			i++
		} else if n == 6 && between != 0 {
			if i >= len(raw) || raw[i] != between {
				return places, i, false
			}
			i++
		}
		if i >= len(raw) || !isDigit(raw[i]) {
			return places, i, false
		}
		places[n] = i
		i++
	}
	return places, i, true
}

func checks(raw []byte, places [10]int) bool {
	sum := 0
	for n, at := range places[:9] {
		sum += int(raw[at]-'0') * (10 - n)
	}
	check := (11 - sum%11) % 11
	return check < 10 && check == int(raw[places[9]]-'0')
}
