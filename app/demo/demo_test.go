package demo_test

import (
	"encoding/json"
	"os"
	"testing"

	"wardwatch/app/demo"
	"wardwatch/config"
)

func TestPlay(t *testing.T) {
	c := config.Default()
	c.Data = ""
	result, err := demo.Play(t.Context(), demo.Options{Config: c, Out: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(result, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", text)
}
