# sekisho-records(5), made of the tables of facts and of their values:
#   awk -f packaging/man/sekisho-records.awk policy/wire/fields.def policy/wire/enums.def
BEGIN {
	FS = "\""
	print ".TH SEKISHO-RECORDS 5 2026-11-26 Sekisho \"File formats\""
	print ".SH NAME\nsekisho-records \\- what a record of Sekisho says, fact by fact"
	print ".SH DESCRIPTION"
	print "A record is one thing that happened: a set of facts, of which each is there where it is known and applies."
	print "These are their names in the JSON of"
	print ".BR \"sekishoctl log \\-\\-json\" ,"
	print "in"
	print ".BR \"\\-\\-fields\" ,"
	print "in the console's API, and in what the herald streams, with the headings that CSV and console show."
	print "Numbers are the keys of the map in a segment's body (segment.cddl);"
	print "they and the names never change their meaning."
	print "Times are microseconds since 1970 in segments and RFC 3339 in JSON, durations microseconds."
	print "A name that is no UTF-8 is"
	print ".B {\"hex\": \"...\"}"
	print "in JSON; bytes are hexadecimal."
	print ".SH FACTS"
}
function clean(s) {
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	return s
}
/^FIELD\(/ {
	split($1, part, ",")
	number = part[1]
	gsub(/[^0-9]/, "", number)
	gsub(/ /, "", part[3])
	gsub(/ /, "", part[4])
	names[part[2]] = part[3]
	constant = part[2]
	gsub(/ /, "", constant)
	known[constant] = part[3]
	printf ".TP\n.BR %s \" (%s, %s)\"\n%s \\(en %s: %s.\n", clean(part[3]), number, tolower(part[4]), clean($2), $4, clean($6)
}
/^ENUM_VALUE\(/ {
	split($1, part, /[(,] */)
	if (part[2] != last) {
		if (last == "")
			print ".SH VALUES\nOf facts whose type is enum."
		printf ".SS %s\n", clean(known[part[2]])
		last = part[2]
	}
	printf ".TP\n.BR %s \" (%s)\"\n%s \\(en %s\n", clean($2), part[3], clean($4), $6
}
END {
	print ".SH SEE ALSO\n.BR sekishoctl (1),\n.BR sekisho\\-record.yaml (5),\n.BR policy.yaml (5)"
}
