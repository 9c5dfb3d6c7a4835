package web

import (
	"net/http"
	"slices"
	"strings"

	"wardwatch/ward"
)

func (s *Site) routesStory() {
	if s.Story != nil {
		s.get("/story", "", s.story)
	}
}

// storyData is the demo's story so far.
type storyData struct {
	Live     Live
	Lede     string
	Progress Progress
	Steps    Table
	Accounts Table
}

// story tells what came in and what the product made of it, the newest first, while the demo plays.
func (s *Site) story(r *http.Request, who ward.Actor) (Page, error) {
	steps, total := s.Story.Played()
	data := storyData{
		Live:     Live{ID: "story", Href: "/story", Topics: []string{"queue", "feeds", "story"}},
		Lede:     "Files and answers go in, as they would in a real week; everything that you read here is what the product made of them. Nothing is scripted behind them.",
		Progress: Progress{ID: "story-progress", Label: "Played so far", Done: len(steps), Total: total},
		Steps: Table{Caption: "What happened", Note: "Newest first", Columns: []Column{{Title: "What came in"}, {Title: "What came of it"}, {Title: "When", Tight: true}, {Title: "Look", Tight: true}},
			Empty: Empty{Text: "The story is about to begin."}},
		Accounts: s.accounts(),
	}
	if len(steps) == total {
		data.Progress.Note = "The story is told; everything stays as it was left."
	}
	for i, step := range slices.Backward(steps) {
		made := View(Text("Nothing that the story follows changed."))
		if step.Made != "" {
			made = Text(step.Made)
		}
		row := Row{Cells: []View{Text(step.Say), made, Moment{step.At}}}
		if step.Link != "" && (who.May(ward.MayWatch) || !strings.HasPrefix(step.Link, "/findings")) { // the desk's own list
			row.Cells = append(row.Cells, Link{Text: "Open the page", Href: local(step.Link), About: "of step " + Number(i+1)})
		}
		data.Steps.Rows = append(data.Steps.Rows, row)
	}
	return Page{Title: "The story so far", Template: "story", Current: "story", Data: data}, nil
}
