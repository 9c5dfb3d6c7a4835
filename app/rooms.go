package app

import (
	"net/http"
	"time"

	"wardwatch/config"
	"wardwatch/edge/api"
	"wardwatch/edge/web"
	"wardwatch/know/estate"
	"wardwatch/know/estate/csv"
	"wardwatch/know/estate/cyclonedx"
	"wardwatch/know/estate/defender"
	"wardwatch/know/estate/intune"
	"wardwatch/know/estate/medical"
	"wardwatch/know/estate/nessus"
	"wardwatch/know/estate/nmap"
	"wardwatch/know/estate/osquery"
	"wardwatch/know/estate/sccm"
	"wardwatch/know/estate/spdx"
	"wardwatch/know/feeds"
	"wardwatch/know/feeds/csaf"
	"wardwatch/know/feeds/cve"
	"wardwatch/know/feeds/epss"
	"wardwatch/know/feeds/kev"
	"wardwatch/know/feeds/nvd"
	"wardwatch/know/feeds/openvex"
	"wardwatch/know/feeds/osv"
	"wardwatch/ward"
)

// readers are the formats of inventory that the product understands; the first that recognises a file reads it.
func readers() []estate.Reader {
	return []estate.Reader{cyclonedx.Reader{}, spdx.Reader{}, nmap.Reader{}, osquery.Reader{}, defender.Reader{}, nessus.Reader{}, intune.Reader{},
		sccm.Reader{}, medical.Reader{}, csv.Reader{}}
}

// sources are the publishers that the product understands, in the order in which they are asked whether they recognise a file.
func sources(c config.Config) []feeds.Source {
	at := func(name string) string { return c.Feeds[name].Location }
	return []feeds.Source{
		kev.New(at("kev")), epss.New(at("epss")), nvd.New(at("nvd")).WithKey(c.Feeds["nvd"].Key), nvd.NewOverrides(at("overrides")), cve.New(at("cve")), csaf.New(at("csaf")),
		openvex.New(at("openvex")), osv.New(at("osv")),
	}
}

// schedule is how often each configured feed is read.
func schedule(c config.Config) map[string]time.Duration {
	every := map[string]time.Duration{}
	for name, feed := range c.Feeds {
		every[name] = feed.Every
	}
	return every
}

// wireEdge puts the doors before the rooms: the API and the pages, behind one sign-in.
func (a *App) wireEdge(o Options) error {
	programs := api.New(api.Rooms{
		Door: a.Access, Repeats: a.store.Accounts(), Estate: a.Estate, Matches: a.Match, Library: a.Intel, Feeds: a.Feeds, Findings: a.Findings, Detections: a.Findings,
		Alerts: a.Alerts, Responses: a.Responses, Inbox: a.Notify, Telling: a.Notify, Duty: a.Duty, Coverage: a.Coverage, Hunts: a.Hunts, Ready: a.store.Ready,
	}, ward.WallClock{}, api.Options{Version: o.Version, Log: a.log})
	people, err := web.NewSite(web.Rooms{
		Estate: a.Estate, Intel: a.Intel, Feeds: a.Feeds, Match: a.Match, Findings: a.Findings, Alerts: a.Alerts,
		Responses: a.Responses, Notify: a.Notify, Duty: a.Duty, Coverage: a.Coverage, Hunts: a.Hunts, Lines: a.courier.Lines, Access: a.Access, Story: o.Story,
	}, a.Clock, web.Options{Operator: a.Config.Operator.Name, Accent: a.Config.Operator.Accent, Exercise: a.Config.Exercise, Log: a.log})
	if err != nil {
		return err
	}
	a.pages = people
	mux := http.NewServeMux()
	for _, path := range api.Paths {
		mux.Handle(path, programs)
	}
	mux.Handle("/", people)
	a.handler = a.Access.Middleware(mux)
	return nil
}
