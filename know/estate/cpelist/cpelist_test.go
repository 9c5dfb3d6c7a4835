package cpelist_test

import (
	"strings"
	"testing"

	"wardwatch/know/estate"
	"wardwatch/know/estate/cpelist"
)

const sample = "\ufeff# appliances\ncpe:2.3:a:ivanti:endpoint_manager_mobile:12.5.0.0:*:*:*:*:*:*:*\r\n\ncpe:/a:ivanti:connect_secure:22.7\nIvanti EPMM\ncpe:2.3:a:x\n"

func TestRead(t *testing.T) {
	if !(cpelist.Reader{}).Recognises("list.txt", []byte(sample)) || (cpelist.Reader{}).Recognises("a.csv", []byte("asset,cpe\n")) {
		t.Error("recognised wrongly")
	}
	var rows []estate.Row
	sum, err := cpelist.Reader{}.Read(strings.NewReader(sample+strings.Repeat("x", 1<<20)+"\ncpe:/a:b:c"), func(r estate.Row) error {
		rows = append(rows, r)
		return nil
	})
	if err != nil || sum.Rows != 6 || sum.Rejected != 3 || len(sum.Problems) != 3 || len(rows) != 3 {
		t.Fatalf("%+v, %v, %d rows", sum, err, len(rows))
	}
	if rows[0].Asset != "cpe:2.3:a:ivanti:endpoint_manager_mobile:12.5.0.0:*:*:*:*:*:*:*" || rows[0].Software.CPE != rows[0].Asset || rows[0].Line != 2 || rows[2].Line != 8 {
		t.Errorf("%+v", rows)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(sample)
	f.Fuzz(func(t *testing.T, text string) {
		yielded := 0
		sum, err := cpelist.Reader{}.Read(strings.NewReader(text), func(r estate.Row) error {
			yielded++
			if r.Asset == "" || r.Software.CPE == "" {
				t.Fatalf("%+v", r)
			}
			return nil
		})
		if err == nil && sum.Rows != yielded+sum.Rejected {
			t.Fatalf("%d rows, %d yielded, %d rejected", sum.Rows, yielded, sum.Rejected)
		}
	})
}
