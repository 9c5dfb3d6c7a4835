// Package config reads the one configuration file. A file in YAML comes in; a checked Config goes out. Every field has a
// default that works on one machine, an unknown field is an error that names it, and a field that is absent means what it
// meant before the field existed. It never opens anything but that file.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"

	"wardwatch/ward"
)

// Config is everything that an operator can set.
type Config struct {
	// Data is the directory that holds the database. Only the account that runs the program should read it.
	Data string `yaml:"data"`
	// Listen is the address to serve on.
	Listen string `yaml:"listen"`
	// URL is the address that people type, for links and secure cookies; empty: http:// and Listen.
	URL string `yaml:"url"`
	// TLS serves HTTPS when both files are named.
	TLS TLS `yaml:"tls"`
	// Operator is who runs this watch, shown on every page.
	Operator Operator `yaml:"operator"`
	// Exercise marks every page, alert and message with the word EXERCISE.
	Exercise bool `yaml:"exercise"`
	// Policies is a directory of policies, one NAME.yaml each: the clocks, reminders and escalation that alerts
	// can have. A file takes the place of a shipped one of its name. Empty: those that are shipped.
	Policies string `yaml:"policies"`
	// Feeds are what to fetch, by name (csaf, cve, epss, kev, nvd, openvex, osv, overrides). One that is
	// not named is not fetched by itself; one without a location is fetched from its publisher.
	Feeds map[string]Feed `yaml:"feeds"`
	// Notify says by which channels people are told.
	Notify Notify `yaml:"notify"`
	// Ingest says where events are taken in.
	Ingest Ingest `yaml:"ingest"`
	// Archive says how they are kept.
	Archive Archive `yaml:"archive"`
	// Detect says what events are held against as they come.
	Detect Detect `yaml:"detect"`
}

// TLS names a certificate and its key, PEM.
type TLS struct {
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// Operator is the name and accent colour of the look.
type Operator struct {
	Name   string `yaml:"name"`
	Accent string `yaml:"accent"` // "#rrggbb"; text in it needs 4.5:1 against white
}

// Feed says where to fetch a publisher's feed from, and how often.
type Feed struct {
	Location string        `yaml:"location"` // URL, file or directory
	Every    time.Duration `yaml:"every"`    // at least 10 minutes
	Key      string        `yaml:"key"`      // of the publisher's API, where it gives one (nvd); better in the environment
}

// FeedNames are the feeds that this program reads.
var FeedNames = []string{"csaf", "cve", "epss", "kev", "nvd", "openvex", "osv", "overrides"}

// Default is the configuration of a program started with no file: one machine, this machine only, nothing fetched.
func Default() Config {
	return Config{
		Data:     "data",
		Listen:   "127.0.0.1:8080",
		Operator: Operator{Name: "Wardwatch", Accent: "#1d4f6e"},
		Feeds:    map[string]Feed{},
		Notify:   defaultNotify(),
		Ingest:   defaultIngest(),
		Archive:  Archive{CutAfter: time.Minute, Keep: []Keep{}},
		Detect:   Detect{Rules: []string{}, Lists: []string{}, Indicators: []string{}},
	}
}

// Load reads path over the defaults, and the environment over both: WARDWATCH_OPERATOR__NAME sets operator.name. An empty
// path reads no file.
func Load(path string) (Config, error) {
	c := Default()
	err := load(path, prefix, Default(), &c)
	if err == nil {
		err = c.Check()
	}
	if err != nil {
		return c, fmt.Errorf("config: %s: %w", cmp.Or(path, "environment"), err)
	}
	return c, nil
}

// load reads path over defaults, and the variables whose names begin with variables over both. An unknown field is an error.
func load(path, variables string, defaults, into any) error {
	settings := koanf.New(".")
	if err := settings.Load(structs.Provider(defaults, "yaml"), nil); err != nil {
		return err
	}
	if path != "" {
		if err := settings.Load(file.Provider(path), yaml.Parser()); err != nil {
			return err
		}
	}
	named := func(name, value string) (string, any) { return variable(variables, name, value) }
	if err := settings.Load(env.Provider(".", env.Opt{Prefix: variables, TransformFunc: named}), nil); err != nil {
		return err
	}
	var read mapstructure.Metadata
	err := settings.UnmarshalWithConf("", into, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result: into, TagName: "yaml", Metadata: &read, WeaklyTypedInput: true,
		DecodeHook: mapstructure.StringToTimeDurationHookFunc(),
	}})
	if err != nil {
		return err
	}
	if len(read.Unused) > 0 {
		slices.Sort(read.Unused)
		return fmt.Errorf("no such field: %s (docs/runbook.md shows those that there are)", strings.Join(read.Unused, ", "))
	}
	return nil
}

const prefix = "WARDWATCH_"

// variable turns WARDWATCH_OPERATOR__NAME into operator.name. WARDWATCH_SHARED names test data and is no setting.
func variable(prefixed, name, value string) (string, any) {
	if name == prefix+"SHARED" || name == prefix+"SHOTS" || name == prefix+"README_SHOTS" || prefixed == prefix && strings.HasPrefix(name, collectPrefix) {
		return "", nil
	}
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, prefixed)), "__", "."), value
}

var colour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// Check says what is wrong with c, all of it at once.
func (c Config) Check() error {
	var wrong []error
	bad := func(field, problem, hint string) {
		wrong = append(wrong, &ward.Invalid{Field: field, Problem: problem, Hint: hint})
	}
	if c.Data == "" {
		bad("data", "is empty", "name a directory for the database")
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		bad("listen", fmt.Sprintf("%q is not an address", c.Listen), "write host:port, such as 127.0.0.1:8080")
	}
	if c.URL != "" {
		if u, err := url.Parse(c.URL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			bad("url", fmt.Sprintf("%q is not an address that people can open", c.URL), "write https://watch.example")
		}
	}
	if (c.TLS.Certificate == "") != (c.TLS.Key == "") {
		bad("tls", "names one file of two", "give both certificate and key, or neither")
	}
	if strings.TrimSpace(c.Operator.Name) == "" {
		bad("operator.name", "is empty", "say who runs this watch")
	}
	if !colour.MatchString(c.Operator.Accent) {
		bad("operator.accent", fmt.Sprintf("%q is not a colour", c.Operator.Accent), "write #rrggbb")
	}
	for name, feed := range c.Feeds {
		if !slices.Contains(FeedNames, name) {
			bad("feeds."+name, "is not a feed that this program reads", "use "+strings.Join(FeedNames, ", "))
		}
		if feed.Every != 0 && feed.Every < 10*time.Minute {
			bad("feeds."+name+".every", fmt.Sprintf("%v is too often for a publisher", feed.Every), "give at least 10m")
		}
	}
	c.Notify.check(bad)
	c.Ingest.check(bad)
	c.Archive.check(bad)
	return errors.Join(wrong...)
}

// Base is the address that people type, without a slash at the end.
func (c Config) Base() string {
	switch {
	case c.URL != "":
		return strings.TrimSuffix(c.URL, "/")
	case c.TLS.Certificate != "":
		return "https://" + c.Listen
	}
	return "http://" + c.Listen
}
