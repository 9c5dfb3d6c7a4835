package web_test

import (
	"testing"
	"time"

	"wardwatch/test/browser"
	"wardwatch/ward"
)

func TestNationalPages(t *testing.T) {
	p := played(t, time.Date(2025, 5, 15, 16, 50, 0, 0, time.UTC))
	second, err := p.Alerts.Draft(t.Context(), p.people["nadia.frost"], ward.Alert{Severity: ward.Medium, Title: "Weakness in Harbour Gateway " + markup, Summary: "Read it as text: " + markup,
		CVEs: []ward.CVE{"CVE-2025-0282"}, SeverityWhy: []string{"CVSS 3.1 of CVE-2025-0282 is 8.1, says nvd"}, Exercise: true})
	if err != nil {
		t.Fatal(err)
	}
	alert := "/alerts/" + string(p.alert.ID)
	b := browser.Start(t)
	p.signIn(b, "owen.tarn@watch.example", "/watch")
	p.look(t, b, "watch", "/watch", "1 thing needs a person", "Approve "+string(second.ID))
	p.look(t, b, "alerts", "/alerts", "1 alert is in force", markup)
	p.look(t, b, "alert", alert, "organisations have closed", "Claims against evidence")
	p.look(t, b, "alert-draft", "/alerts/"+string(second.ID), "A draft", "says nvd", markup)
	p.look(t, b, "answer", alert+"/answers/XZ1A", "hmh-mdm-01")
	p.look(t, b, "alert-new", "/alerts/new?cve=CVE-2025-4427", "Draft an alert")
	p.look(t, b, "disputes", "/disputes", "12.4.0.2")
}
