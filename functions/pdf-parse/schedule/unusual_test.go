package schedule_test

import (
	"slices"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/schedule"
	"github.com/schedgen/schedgen/shared/timetable"
)

// TestUnusualValuesWarn holds that a value which a stroke cut off, or which slid into the column beside it, is
// warned of in its own entry, and that no other entry is.
func TestUnusualValuesWarn(t *testing.T) {
	t.Parallel()
	const (
		lecture = "1|COS 214|S1|G01|E L|L1|Monday|07:30 - 08:20|IT 4-4|HATFIELD|"
		test    = "1|COS 214|PTest 1|Monday|25 Aug 2025|07:30 - 09:00|HATFIELD|IT 4-4"
		exam    = "1|COS 214|FINAL|1|Exam Written||06 NOV 2025|07:30|HATF|HATFIELD|IT 4-4|"
	)
	for name, c := range map[string]struct {
		kind timetable.Kind
		rows []string
		want []int // the entries that warn
	}{
		"lectures as printed":      {timetable.Lecture, []string{lecture, lecture, lecture}, nil},
		"a group with a note":      {timetable.Lecture, []string{lecture, "1|COS 214|S1|G01 swop|E L|L1|Monday|07:30 - 08:20|IT 4-4|HATFIELD|"}, []int{1}},
		"no group":                 {timetable.Lecture, []string{lecture, lecture, lecture, "1|COS 214|S1||E L|L1|Monday|07:30 - 08:20|IT 4-4|HATFIELD|"}, []int{3}},
		"no group, nor most":       {timetable.Lecture, []string{lecture, "1|COS 214|S1||E L|L1|Monday|07:30 - 08:20|IT 4-4|HATFIELD|"}, nil},
		"a lecture of practicals":  {timetable.Lecture, []string{lecture, "1|COS 214|S1|P01|E P|L2|Monday|07:30 - 08:20|IT 4-4|HATFIELD|"}, []int{1}},
		"a venue in the campus":    {timetable.Lecture, []string{lecture, "1|COS 214|S1|G01|E L|L1|Monday|07:30 - 08:20|IT 4-4|entrance 3) HATFIELD|"}, []int{1}},
		"two campuses in one":      {timetable.Lecture, []string{lecture, lecture, "1|COS 214|S1|G01|E L|L1|Monday|07:30 - 08:20|IT 4-4|HATF HATFIELD|"}, []int{2}},
		"campuses in small":        {timetable.Lecture, []string{"1|COS 214|S1|G01|E L|L1|Monday|07:30 - 08:20|IT 4-4|Hatfield|", "1|COS 214|S1|G01|E L|L1|Monday|07:30 - 08:20|IT 4-4|Groenkloof|"}, nil},
		"tests as printed":         {timetable.Test, []string{test, "1|COS 214|Test1|Monday|25 Aug 2025|07:30 - 09:00|HATFIELD|IT 4-4"}, nil},
		"a test without a number":  {timetable.Test, []string{test, "1|COS 214|PTest|Monday|25 Aug 2025|07:30 - 09:00|HATFIELD|IT 4-4"}, []int{1}},
		"half of a venue":          {timetable.Test, []string{test, "1|COS 214|PTest 1|Monday|25 Aug 2025|07:30 - 09:00|HATFIELD|Roos Hall 2 (ground"}, []int{1}},
		"a number for a venue":     {timetable.Test, []string{test, "1|COS 214|PTest 1|Monday|25 Aug 2025|07:30 - 09:00|HATFIELD|2"}, []int{1}},
		"the beginning of a venue": {timetable.Test, []string{"1|COS 214|PTest 1|Monday|25 Aug 2025|07:30 - 09:00|HATFIELD|Roos Hall East", "1|COS 214|PTest 1|Monday|25 Aug 2025|07:30 - 09:00|HATFIELD|Roos Hall"}, []int{1}},
		"exams as printed":         {timetable.Exam, []string{exam, exam}, nil},
		"half of an activity":      {timetable.Exam, []string{exam, "1|COS 214|FINAL|1|Exam||06 NOV 2025|07:30|HATF|HATFIELD|IT 4-4|"}, []int{1}},
		"one and a half":           {timetable.Exam, []string{exam, "1|COS 214|FINAL|1|Written Exam Oral||06 NOV 2025|07:30|HATF|HATFIELD|IT 4-4|"}, []int{1}},
		"a comment on a module":    {timetable.Exam, []string{exam, exam + "With COS 215"}, nil},
		"a row in the comments":    {timetable.Exam, []string{exam, exam + "COS 215 FINAL 1 15:00"}, []int{1}},
		"a code without a space":   {timetable.Exam, []string{exam, exam + "COS215 15:00"}, []int{1}},
		"a time to another":        {timetable.Exam, []string{exam, exam + "COS215 FINAL 15:00-18:00"}, []int{1}},
		"a school and an hour":     {timetable.Exam, []string{exam, exam + "SCHOOL hall from 15:00"}, nil},
		"letters apart":            {timetable.Test, []string{test, "1|COS 214|PTest 1|Monday|25 Aug 2025|07:30 - 09:00|H A T F I E L D|IT 4-4"}, []int{1}},
		"a test without any of it": {timetable.Test, []string{test, test, "1||||||HATFIELD|IT 4-5"}, []int{1}},
		"a lecture's end below":    {timetable.Lecture, []string{lecture, "1||||||||of it||"}, []int{0, 1}},
		"lectures above the module": {timetable.Lecture, []string{lecture, lecture, lecture,
			"1|_/COS 214|_/S1|_/G02|_/E L|L1/L2|Monday/Tuesday|07:30 - 08:20/07:30 - 08:20|IT 4-4/IT 4-4|_/HATFIELD|"}, []int{2, 3}},
		"venues above the module": {timetable.Exam, []string{exam, exam, exam, "1|_/COS 214|_/FINAL|_/1|_/Exam Written||_/06 NOV 2025|_/07:30|_/HATF|_/HATFIELD|Thuto 1-1/IT 4-4|"}, []int{2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []int
			for i, e := range schedule.Read(tableOf(t, c.kind, c.rows...)).Entries {
				if slices.ContainsFunc(e.Warnings, func(w timetable.Warning) bool { return w.Code == timetable.UnusualValue }) {
					got = append(got, i)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got warnings in the entries %v, want them in %v", got, c.want)
			}
		})
	}
}
