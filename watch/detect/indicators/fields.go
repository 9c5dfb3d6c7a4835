package indicators

import (
	"slices"

	"wardwatch/watch"
)

// A treatment says what a field's values may show. Most fields are judged by the shape of their values; here stand those whose
// name says more than the shape, because a shape of theirs means something else.
type treatment struct {
	seeks kinds
	path  bool // the value is a path or a file's name: what stands after its last separator is the name, blanks and all
}

var byShape = treatment{seeks: all}

// told are the fields whose names say what they hold.
var told = []struct {
	treatment
	because string
	fields  []string
}{
	{treatment{seeks: all, path: true}, "setup.com is a program here, and no domain unless it follows two separators",
		[]string{
			"Image", "ParentImage", "SourceImage", "TargetImage", "ImageLoaded", "OriginalFileName", "TargetFilename",
			"ProcessName", "NewProcessName", "ParentProcessName", "CallerProcessName", "Application", "ServiceFileName",
			"FileName", "FolderPath", "InitiatingProcessFileName", "InitiatingProcessFolderPath", "RelativeTargetName",
			"file.name", "file.path", "process.name", "process.executable", "process.parent.name", "process.parent.executable",
			"dll.name", "dll.path", "exe", "comm",
		}},
	{treatment{seeks: all &^ names}, "mail.py is a host here, and no program",
		[]string{
			"QueryName", "QueryResults", "DestinationHostname", "SourceHostname", "RemoteUrl", "Computer",
			"dns.question.name", "dns.answers.data", "dns.answers.name", "query", "answers", "rrname", "qname",
			"destination.domain", "source.domain", "url.domain", "server.domain", "client.domain", "host.name", "host.hostname",
			"host", "hostname", "cs-host", "r-dns", "server_name", "tls.client.server_name", "tls.sni", "dhost", "shost", "dvchost",
		}},
	{treatment{seeks: digests}, "10.0.19041.1 is a version here, and no address",
		[]string{
			"FileVersion", "ProductVersion", "Version", "OSVersion", "OsVersion", "AppVersion", "EngineVersion", "HostVersion",
			"RuntimeVersion", "AgentVersion", "SchemaVersion", "agent.version", "ecs.version", "host.os.version", "file.pe.file_version",
			"process.pe.file_version", "user_agent.version", "winlog.version",
		}},
}

// Fields are the names of fields that tell what their values hold. Who numbers names for records that are looked at adds
// these, because a name without a number is not known.
func Fields() []string {
	var out []string
	for _, t := range told {
		out = append(out, t.fields...)
	}
	return out
}

// treatments are those of the numbered fields, by number.
func treatments(n *watch.Names) []treatment {
	if n == nil {
		return []treatment{byShape}
	}
	out := slices.Repeat([]treatment{byShape}, n.Len()+1)
	for _, t := range told {
		for _, name := range t.fields {
			if f := n.Find([]byte(name)); f != 0 {
				out[f] = t.treatment
			}
		}
	}
	return out
}
