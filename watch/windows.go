package watch

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// Windows events come in many wrappings of one thing: nested Event.System and Event.EventData as EVTX tools write them, flat
// as NXLog does, below winlog as winlogbeat does. What a name stands for is the same in all: the element of EventData.

// The names that the parts of a Data element go by until they are put together (see Decoder.pair).
const (
	pairName = "Event.EventData.Data.Name"
	pairText = "Event.EventData.Data.#text"
)

// renamed are names of winlogbeat that are Windows' own under another name.
var renamed = map[string]string{
	"winlog.event_id": "EventID", "winlog.channel": "Channel", "winlog.provider_name": "Provider_Name",
	"winlog.provider_guid": "Provider_Guid", "winlog.computer_name": "Computer", "winlog.record_id": "EventRecordID",
	"winlog.process.pid": "Execution_ProcessID", "winlog.process.thread.id": "Execution_ThreadID",
	"winlog.keywords": "Keywords", "winlog.opcode": "Opcode", "winlog.task": "Task", "winlog.version": "Version",
	"winlog.user.identifier": "Security_UserID", "winlog.level": "Level", "winlog.time_created": "TimeCreated",
	"RenderingInfo.Message": "Message", "Event.RenderingInfo.Message": "Message",
}

// tableName is what a value is called whose keys, from the event's beginning, are whole.
func tableName(whole string) string {
	whole = strings.TrimPrefix(whole, "_source.")
	if name, ok := renamed[whole]; ok {
		return name
	}
	if at := strings.LastIndexByte(whole, '.'); at > 0 && slices.Contains(pairs, whole[:at]) {
		switch whole[at+1:] {
		case "name":
			return pairName
		case "value", "intValue", "boolValue", "multiValue", "multiStrValue", "multiIntValue":
			return pairText
		}
	}
	if inner, ok := strings.CutPrefix(strings.TrimPrefix(whole, "data."), "win."); ok { // Wazuh
		for _, part := range []string{"system.", "eventdata."} {
			if name, ok := strings.CutPrefix(inner, part); ok {
				return name
			}
		}
	}
	head, tail, nested := strings.Cut(strings.TrimPrefix(whole, "Event."), ".")
	if !nested {
		return whole
	}
	switch head {
	case "System":
		return element(tail)
	case "EventData":
		return eventData(tail)
	case "UserData":
		if _, inner, ok := strings.Cut(tail, "."); ok {
			return element(inner)
		}
		return tail
	case "#attributes", "@attributes":
		if strings.HasPrefix(whole, "Event.") {
			return tail
		}
	case "winlog":
		if data, ok := strings.CutPrefix(tail, "event_data."); ok {
			return data
		}
		if data, ok := strings.CutPrefix(tail, "user_data."); ok {
			return data
		}
	}
	return whole
}

// element is the name of an element or attribute of Windows' XML: Provider.#attributes.Name is Provider_Name, and the text
// of an element that has attributes too is the element's.
func element(keys string) string {
	parts := strings.Split(keys, ".")
	name := parts[0]
	for i, part := range parts[1:] {
		last := i == len(parts)-2
		switch part {
		case "#attributes", "@attributes":
		case "#text", "Value", "$t":
			if !last {
				name += "_" + part
			}
		default:
			name += "_" + strings.TrimPrefix(part, "@")
		}
	}
	return name
}

// eventData is the name of what stands below EventData.
func eventData(keys string) string {
	switch keys {
	case "Data.#attributes.Name", "Data.@attributes.Name", "Data.@Name", "Data.Name", "Data.-Name":
		return pairName
	case "Data.#text", "Data.Value", "Data.$t", "Data.text", "Data.content":
		return pairText
	}
	return element(keys)
}

// wrappers are what some put around the names that a log's own format has.
var wrappers = []struct{ outer, inner string }{
	{"properties.", ""},
	{"o365.audit.", ""},
	{"data.protoPayload.", "protoPayload."},
	{"protoPayload.", "data.protoPayload."},
}

// otherName is a second name that a value is known by, for logs that some wrap once more than others; empty: none.
func otherName(name string) string {
	for _, w := range wrappers {
		if inner, ok := strings.CutPrefix(name, w.outer); ok {
			return w.inner + inner
		}
	}
	return ""
}

// pairs are lists whose elements are a name and a value, beside Windows' Data.
var pairs = []string{"protoPayload.metadata.event.parameter", "data.protoPayload.metadata.event.parameter", "events.parameters"}

func isPair(whole, name string) bool {
	return name == "Data" && name != whole || slices.Contains(pairs, whole)
}

// The names by which a Windows event is known: its number, and its channel or else its provider, each in the order in which
// they are believed. Log Analytics, Splunk and PowerShell have words of their own.
var (
	windowsIDs      = []string{"EventID", "EventCode", "event_id"}
	windowsLogs     = []string{"Channel", "EventLog", "LogName", "Provider_Name", "SourceName", "ProviderName"}
	windowsIDMarks  = marksOf(windowsIDs)
	windowsLogMarks = marksOf(windowsLogs)
	eventTypeMark   = markOf("EventType")
	operationMark   = markOf("OperationType")
)

// windowsTimes are where a Windows event says when it happened, the best first.
var windowsTimes = []string{"TimeCreated_SystemTime", "TimeCreated", "@timestamp", "UtcTime", "EventTime"}

var windowsTimeMarks = marksOf(windowsTimes)

// windows finishes the record if it is a Windows event.
func (d *Decoder) windows(r *Record) bool {
	number, log := d.firstOf(r, windowsIDMarks), d.firstOf(r, windowsLogMarks)
	if number == nil || log == nil {
		return false
	}
	c := &windowsServices[d.channel(log)]
	r.Class = c.class
	r.Time = d.firstOf(r, windowsTimeMarks)
	d.addNames(r, d.tables.windows[0])
	id := small16(number)
	for i := range c.events {
		e := &c.events[i]
		if e.id != id || (e.kind != "" && !d.ofKind(r, e.kind)) {
			continue
		}
		r.Class = e.class
		if e.names != 0 {
			d.addNames(r, d.tables.windows[e.names])
		}
		break
	}
	if c.names != 0 {
		d.addNames(r, d.tables.windows[c.names])
	}
	return true
}

// ofKind says whether the event's EventType or OperationType is one of kinds.
func (d *Decoder) ofKind(r *Record, kinds string) bool {
	for _, m := range [2]mark{eventTypeMark, operationMark} {
		text := d.get(r, m)
		if len(text) == 0 {
			continue
		}
		for rest := kinds; rest != ""; {
			var kind string
			kind, rest, _ = strings.Cut(rest, " ")
			if string(text) == kind {
				return true
			}
		}
	}
	return false
}

// small16 reads a number of up to 16 bits; anything else is 0.
func small16(text []byte) uint16 {
	n := 0
	for _, c := range text {
		if c < '0' || c > '9' || n > 6553 {
			return 0
		}
		n = 10*n + int(c-'0')
	}
	return uint16(n & 0xffff) //nolint:gosec // masked
}

// channelSeen is a channel that came lately, and where it stands in windowsServices.
type channelSeen struct {
	name []byte // its room is kept when another channel takes the place
	at   int
}

// channel is where the channel or provider stands in windowsServices.
func (d *Decoder) channel(name []byte) int {
	if len(name) == 0 {
		return 0
	}
	seen := &d.channels[(len(name)^int(name[len(name)-1]))&15]
	if !bytes.Equal(seen.name, name) {
		at := 0
		if f := channelNames.Find(name); f != 0 {
			at = channelPlaces[f]
		}
		if len(name) > maxPathName {
			return at
		}
		seen.name, seen.at = append(seen.name[:0], name...), at
	}
	return seen.at
}

// windowsServices are windowsChannels made ready. The first is any channel that no row names.
type windowsService struct {
	class  Class
	events []windowsEventRow
	names  int // place in windowsNames; 0: none beside what all have
}

type windowsEventRow struct {
	id    uint16
	kind  string
	class Class
	names int
}

var windowsServices = func() []windowsService {
	var all []windowsService
	for _, c := range windowsChannels {
		s := windowsService{class: ClassOf(c.log), names: placeOfNames(c.log.Service)}
		for _, e := range windowsEvents {
			if e.product == c.log.Product && e.service == c.log.Service {
				s.events = append(s.events, windowsEventRow{e.id, e.kind, ClassOf(e.log()), placeOfNames(e.names)})
			}
		}
		all = append(all, s)
	}
	return all
}()

func placeOfNames(title string) int {
	for i, w := range windowsNames {
		if w.title == title && title != "" {
			return i
		}
	}
	return 0
}

var channelNames = func() *Names {
	var names []string
	for _, c := range windowsChannels {
		names = append(names, c.channels...)
	}
	return NewNames(names...)
}()

var channelPlaces = func() []int {
	places := make([]int, channelNames.Len()+1)
	for i, c := range windowsChannels {
		for _, name := range c.channels {
			places[channelNames.Find([]byte(name))] = i
		}
	}
	return places
}()

// A windowsChannel says which service the events of some channels are of; where an event has no channel its provider stands
// for it.
type windowsChannel struct {
	log      Log
	channels []string
}

func channels(service string, names ...string) windowsChannel {
	return windowsChannel{logOf("windows", service, ""), names}
}

// windowsChannels follow the Sigma specification's taxonomy, and for services that it does not name, the rules' own words.
var windowsChannels = []windowsChannel{
	channels(""),
	channels("application", "Application"),
	channels("application-experience", "Microsoft-Windows-Application-Experience/Program-Telemetry",
		"Microsoft-Windows-Application-Experience/Program-Compatibility-Assistant"),
	channels("applocker", "Microsoft-Windows-AppLocker/MSI and Script", "Microsoft-Windows-AppLocker/EXE and DLL",
		"Microsoft-Windows-AppLocker/Packaged app-Deployment", "Microsoft-Windows-AppLocker/Packaged app-Execution"),
	channels("appmodel-runtime", "Microsoft-Windows-AppModel-Runtime/Admin"),
	channels("appxdeployment-server", "Microsoft-Windows-AppXDeploymentServer/Operational"),
	channels("appxpackaging-om", "Microsoft-Windows-AppxPackaging/Operational"),
	channels("bitlocker", "Microsoft-Windows-BitLocker/BitLocker Management"),
	channels("bits-client", "Microsoft-Windows-Bits-Client/Operational", "Microsoft-Windows-Bits-Client"),
	channels("capi2", "Microsoft-Windows-CAPI2/Operational"),
	channels("certificateservicesclient-lifecycle-system",
		"Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational"),
	channels("codeintegrity-operational", "Microsoft-Windows-CodeIntegrity/Operational", "Microsoft-Windows-CodeIntegrity"),
	channels("dhcp", "Microsoft-Windows-DHCP-Server/Operational"),
	channels("diagnosis-scripted", "Microsoft-Windows-Diagnosis-Scripted/Operational"),
	channels("dns-client", "Microsoft-Windows-DNS Client Events/Operational", "Microsoft-Windows-DNS-Client/Operational"),
	channels("dns-server", "DNS Server"),
	channels("dns-server-analytic", "Microsoft-Windows-DNS-Server/Analytical", "Microsoft-Windows-DNSServer/Analytical"),
	channels("dns-server-audit", "Microsoft-Windows-DNS-Server/Audit", "Microsoft-Windows-DNSServer/Audit"),
	channels("driver-framework", "Microsoft-Windows-DriverFrameworks-UserMode/Operational"),
	channels("firewall-as", "Microsoft-Windows-Windows Firewall With Advanced Security/Firewall"),
	channels("hyper-v-worker", "Microsoft-Windows-Hyper-V-Worker", "Microsoft-Windows-Hyper-V-Worker-Admin",
		"Microsoft-Windows-Hyper-V-Worker/Operational"),
	channels("iis-configuration", "Microsoft-IIS-Configuration/Operational"),
	channels("kernel-event-tracing", "Microsoft-Windows-Kernel-EventTracing", "Microsoft-Windows-Kernel-EventTracing/Admin"),
	channels("kernel-shimengine", "Microsoft-Windows-Kernel-ShimEngine/Operational",
		"Microsoft-Windows-Kernel-ShimEngine/Diagnostic"),
	channels("ldap", "Microsoft-Windows-LDAP-Client/Debug"),
	channels("lsa-server", "Microsoft-Windows-LSA/Operational"),
	channels("microsoft-servicebus-client servicebus-client", "Microsoft-ServiceBus-Client/Operational",
		"Microsoft-ServiceBus-Client/Admin"),
	channels("msexchange-management", "MSExchange Management"),
	channels("ntfs", "Microsoft-Windows-Ntfs/Operational"),
	channels("ntlm", "Microsoft-Windows-NTLM/Operational"),
	channels("openssh", "OpenSSH/Operational"),
	channels("powershell", "Microsoft-Windows-PowerShell/Operational", "PowerShellCore/Operational",
		"Microsoft-Windows-PowerShell", "PowerShellCore"),
	channels("powershell-classic", "Windows PowerShell", "PowerShell"),
	channels("printservice-admin", "Microsoft-Windows-PrintService/Admin"),
	channels("printservice-operational", "Microsoft-Windows-PrintService/Operational"),
	channels("security", "Security", "Microsoft-Windows-Security-Auditing"),
	channels("security-mitigations", "Microsoft-Windows-Security-Mitigations/Kernel Mode",
		"Microsoft-Windows-Security-Mitigations/User Mode", "Microsoft-Windows-Security-Mitigations/KernelMode",
		"Microsoft-Windows-Security-Mitigations/UserMode"),
	channels("sense", "Microsoft-Windows-SENSE/Operational"),
	channels("shell-core", "Microsoft-Windows-Shell-Core/Operational"),
	channels("smbclient-connectivity", "Microsoft-Windows-SmbClient/Connectivity"),
	channels("smbclient-security", "Microsoft-Windows-SmbClient/Security"),
	channels("smbserver-connectivity", "Microsoft-Windows-SMBServer/Connectivity"),
	channels("sysmon", "Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon"),
	channels("system", "System"),
	channels("taskscheduler", "Microsoft-Windows-TaskScheduler/Operational", "Microsoft-Windows-TaskScheduler"),
	channels("terminalservices-localsessionmanager",
		"Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"),
	channels("vhdmp", "Microsoft-Windows-VHDMP/Operational", "Microsoft-Windows-VHDMP-Operational"),
	channels("windefend", "Microsoft-Windows-Windows Defender/Operational", "Microsoft-Windows-Windows Defender"),
	channels("wmi", "Microsoft-Windows-WMI-Activity/Operational", "Microsoft-Windows-WMI-Activity"),
	channels("kernel-file", "Microsoft-Windows-Kernel-File", "Microsoft-Windows-Kernel-File/Analytic"),
	{logOf("linux", "sysmon", ""), []string{"Linux-Sysmon/Operational", "Linux-Sysmon"}},
	{logOf("rpc_firewall", "", "application"), []string{"RPCFW", "RPCFWP"}},
}

// A windowsEvent says of which categories an event of a service is.
type windowsEvent struct {
	product, service string
	id               uint16
	kind             string // one of these EventTypes or OperationTypes; empty: any
	categories       string
	names            string // title of the table of further names
}

func (e windowsEvent) log() Log {
	for _, c := range windowsChannels {
		if c.log.Product == e.product && c.log.Service == e.service {
			return Log{Product: e.product, Service: e.service, Also: c.log.Also, Categories: strings.Fields(e.categories)}
		}
	}
	return Log{Product: e.product, Service: e.service, Categories: strings.Fields(e.categories)}
}

// windowsEvents follow the taxonomy. The first row that fits is taken: where the kind of a registry event is not told (NXLog
// writes its own EventType over Sysmon's) an event 12 may be either.
var windowsEvents = []windowsEvent{
	{"windows", "sysmon", 1, "", "process_creation", "hashes"},
	{"windows", "sysmon", 2, "", "file_change", ""},
	{"windows", "sysmon", 3, "", "network_connection", ""},
	{"windows", "sysmon", 4, "", "sysmon_status", ""},
	{"windows", "sysmon", 5, "", "process_termination", ""},
	{"windows", "sysmon", 6, "", "driver_load", "hashes"},
	{"windows", "sysmon", 7, "", "image_load", "hashes"},
	{"windows", "sysmon", 8, "", "create_remote_thread", ""},
	{"windows", "sysmon", 9, "", "raw_access_thread", ""},
	{"windows", "sysmon", 10, "", "process_access", ""},
	{"windows", "sysmon", 11, "", "file_event", ""},
	{"windows", "sysmon", 12, "CreateKey", "registry_add registry_event", ""},
	{"windows", "sysmon", 12, "DeleteKey DeleteValue", "registry_delete registry_event", ""},
	{"windows", "sysmon", 12, "", "registry_add registry_delete registry_event", ""},
	{"windows", "sysmon", 13, "", "registry_set registry_event", ""},
	{"windows", "sysmon", 14, "", "registry_rename registry_event", ""},
	{"windows", "sysmon", 15, "", "create_stream_hash", "hash"},
	{"windows", "sysmon", 16, "", "sysmon_status", ""},
	{"windows", "sysmon", 17, "", "pipe_created", ""},
	{"windows", "sysmon", 18, "", "pipe_created", ""},
	{"windows", "sysmon", 19, "", "wmi_event", ""},
	{"windows", "sysmon", 20, "", "wmi_event", ""},
	{"windows", "sysmon", 21, "", "wmi_event", ""},
	{"windows", "sysmon", 22, "", "dns_query", ""},
	{"windows", "sysmon", 23, "", "file_delete", "hashes"},
	{"windows", "sysmon", 24, "", "clipboard_capture clipboard_change", "hashes"},
	{"windows", "sysmon", 25, "", "process_tampering", ""},
	{"windows", "sysmon", 26, "", "file_delete file_delete_detected", "hashes"},
	{"windows", "sysmon", 27, "", "file_block_executable", "hashes"},
	{"windows", "sysmon", 28, "", "file_block_shredding", "hashes"},
	{"windows", "sysmon", 29, "", "file_executable_detected", "hashes"},
	{"windows", "sysmon", 255, "", "sysmon_error", ""},
	{"linux", "sysmon", 1, "", "process_creation", "hashes"},
	{"linux", "sysmon", 3, "", "network_connection", ""},
	{"linux", "sysmon", 4, "", "sysmon_status", ""},
	{"linux", "sysmon", 5, "", "process_termination", ""},
	{"linux", "sysmon", 9, "", "raw_access_thread", ""},
	{"linux", "sysmon", 11, "", "file_event", ""},
	{"linux", "sysmon", 16, "", "sysmon_status", ""},
	{"linux", "sysmon", 23, "", "file_delete", "hashes"},
	{"windows", "powershell", 4103, "", "ps_module", ""},
	{"windows", "powershell", 4104, "", "ps_script", ""},
	{"windows", "powershell-classic", 400, "", "ps_classic_start", ""},
	{"windows", "powershell-classic", 600, "", "ps_classic_provider_start", ""},
	{"windows", "powershell-classic", 800, "", "ps_classic_script", ""},
	{"windows", "security", 4688, "", "process_creation", "4688"},
	{"windows", "security", 4689, "", "process_termination", "4689"},
	{"windows", "security", 4657, "%%1904", "registry_add registry_set registry_event", "4657"},
	{"windows", "security", 4657, "%%1906", "registry_delete registry_event", "4657"},
	{"windows", "security", 4657, "", "registry_set registry_event", "4657"},
	{"windows", "security", 5156, "", "network_connection", "5156"},
	{"windows", "windefend", 1006, "", "antivirus", "threat"},
	{"windows", "windefend", 1007, "", "antivirus", "threat"},
	{"windows", "windefend", 1008, "", "antivirus", "threat"},
	{"windows", "windefend", 1009, "", "antivirus", "threat"},
	{"windows", "windefend", 1010, "", "antivirus", "threat"},
	{"windows", "windefend", 1011, "", "antivirus", "threat"},
	{"windows", "windefend", 1012, "", "antivirus", "threat"},
	{"windows", "windefend", 1015, "", "antivirus", "threat"},
	{"windows", "windefend", 1017, "", "antivirus", "threat"},
	{"windows", "windefend", 1018, "", "antivirus", "threat"},
	{"windows", "windefend", 1019, "", "antivirus", "threat"},
	{"windows", "windefend", 1115, "", "antivirus", "threat"},
	{"windows", "windefend", 1116, "", "antivirus", "threat"},
	{"windows", "windefend", 1117, "", "antivirus", "threat"},
	{"windows", "kernel-file", 10, "", "file_access", "kernel-file"},
	{"windows", "kernel-file", 12, "", "file_access", "kernel-file"},
	{"windows", "kernel-file", 15, "", "file_access", "kernel-file"},
	{"windows", "kernel-file", 16, "", "file_access", "kernel-file"},
	{"windows", "kernel-file", 30, "", "file_access", "kernel-file"},
	{"windows", "kernel-file", 19, "", "file_rename", "kernel-file"},
	{"windows", "kernel-file", 27, "", "file_rename", "kernel-file"},
	{"windows", "kernel-file", 11, "", "file_delete", "kernel-file"},
	{"windows", "kernel-file", 26, "", "file_delete", "kernel-file"},
}

// A nameTable is what the values of some Windows events are called too.
type nameTable struct {
	title string // a service, or what windowsEvents calls it
	names []alias
}

// windowsNames: the first holds for every event.
var windowsNames = []nameTable{
	{"", []alias{
		{from: "SourceName", to: "Provider_Name"},
		{from: "ProviderName", to: "Provider_Name"},
		{from: "Provider_Name", to: "SourceName"},
		{from: "Channel", to: "EventLog"},
		{from: "EventLog", to: "Channel"},
		{from: "LogName", to: "Channel"},
		{from: "EventCode", to: "EventID"},
		{from: "event_id", to: "EventID"},
		{from: "Hostname", to: "Computer"},
		{from: "Hostname", to: "ComputerName"},
		{from: "Computer", to: "ComputerName"},
	}},
	{"powershell-classic", []alias{{from: "Message", to: "Data"}, {from: "message", to: "Data"}}},
	{"msexchange-management", []alias{{from: "Message", to: "Data"}}},
	{"hashes", hashNames("Hashes")},
	{"hash", append(hashNames("Hash"), alias{from: "Hash", to: "Hashes"})},
	{"4688", []alias{
		{from: "NewProcessName", to: "Image"},
		{from: "NewProcessId", to: "ProcessId"},
		{from: "ParentProcessName", to: "ParentImage"},
		{from: "ProcessId", to: "ParentProcessId"},
		{from: "ProcessCommandLine", to: "CommandLine"},
		{from: "SubjectLogonId", to: "LogonId"},
		{from: "SubjectUserName", to: "User", as: subject},
		{from: "MandatoryLabel", to: "IntegrityLevel", as: integrity},
	}},
	{"4689", []alias{
		{from: "ProcessName", to: "Image"},
		{from: "SubjectUserName", to: "User", as: subject},
	}},
	{"4657", []alias{
		{from: "ObjectName", to: "TargetObject", as: registryObject},
		{from: "NewValue", to: "Details", as: registryDetails},
		{from: "ProcessName", to: "Image"},
		{from: "SubjectUserName", to: "User", as: subject},
		{from: "OperationType", to: "EventType", as: registryEventType},
	}},
	{"5156", []alias{
		{from: "Application", to: "Image"},
		{from: "SourceAddress", to: "SourceIp"},
		{from: "DestAddress", to: "DestinationIp"},
		{from: "DestPort", to: "DestinationPort"},
		{from: "Direction", to: "Initiated", as: initiated},
	}},
	{"threat", []alias{
		{from: "ThreatName", to: "Signature"},
		{from: "Path", to: "Filename"},
		{from: "ActionName", to: "Action"},
	}},
	{"kernel-file", []alias{
		{from: "FileName", to: "TargetFilename"},
		{from: "FilePath", to: "FileName"},
		{from: "ProcessName", to: "Image"},
	}},
}

func hashNames(from string) []alias {
	var names []alias
	for _, kind := range []string{"md5", "sha1", "sha256", "imphash"} {
		names = append(names, alias{from: from, to: kind, as: func(_ *Decoder, _ *Record, text []byte) []byte {
			return hashOf(text, kind)
		}})
	}
	return names
}

// hashOf is one hash of what Sysmon writes as MD5=...,SHA256=...
func hashOf(text []byte, kind string) []byte {
	for len(text) > 0 {
		var one []byte
		one, text, _ = bytes.Cut(text, []byte(","))
		if len(one) > len(kind) && one[len(kind)] == '=' && sameFold(one[:len(kind)], kind) {
			return one[len(kind)+1:]
		}
	}
	return nil
}

// beside is the first value of another name of the record, below properties too.
func beside(r *Record, name string) []byte {
	for i := range r.Values {
		if SameName(name, bytes.TrimPrefix(r.Values[i].Name, []byte("properties."))) {
			return r.Values[i].Text
		}
	}
	return nil
}

// subject is DOMAIN\name of who did it.
func subject(d *Decoder, r *Record, text []byte) []byte {
	domain := beside(r, "SubjectDomainName")
	if len(domain) == 0 || string(domain) == "-" {
		return text
	}
	return d.write(domain, []byte(`\`), text)
}

// integrity is Sysmon's word for a mandatory label.
func integrity(d *Decoder, _ *Record, text []byte) []byte {
	switch string(text) {
	case "S-1-16-0":
		return d.write([]byte("Untrusted"))
	case "S-1-16-4096":
		return d.write([]byte("Low"))
	case "S-1-16-8192":
		return d.write([]byte("Medium"))
	case "S-1-16-8448":
		return d.write([]byte("Medium+"))
	case "S-1-16-12288":
		return d.write([]byte("High"))
	case "S-1-16-16384":
		return d.write([]byte("System"))
	}
	return text
}

// registryObject writes a key as Sysmon does: HKLM and HKU for the roots, and the value's name behind it.
func registryObject(d *Decoder, r *Record, text []byte) []byte {
	root := []byte(nil)
	if key, ok := bytes.CutPrefix(text, []byte(`\REGISTRY\MACHINE`)); ok {
		root, text = []byte("HKLM"), key
	} else if key, ok := bytes.CutPrefix(text, []byte(`\REGISTRY\USER`)); ok {
		root, text = []byte("HKU"), key
	}
	if value := beside(r, "ObjectValueName"); len(value) > 0 && string(value) != "-" {
		return d.write(root, text, []byte(`\`), value)
	}
	return d.write(root, text)
}

// registryDetails writes a value as Sysmon does.
func registryDetails(d *Decoder, r *Record, text []byte) []byte {
	switch string(beside(r, "NewValueType")) {
	case "%%1875":
		return d.write([]byte("Binary Data"))
	case "%%1876":
		return dword(d, text)
	case "%%1883":
		return qword(d, text)
	}
	return text
}

// dword writes a number of 32 bits as Sysmon does.
func dword(d *Decoder, text []byte) []byte {
	n, err := strconv.ParseUint(string(text), 0, 32)
	if err != nil {
		return text
	}
	return d.write([]byte("DWORD (0x"), hex8(n), []byte(")"))
}

// qword writes a number of 64 bits as Sysmon does.
func qword(d *Decoder, text []byte) []byte {
	n, err := strconv.ParseUint(string(text), 0, 64)
	if err != nil {
		return text
	}
	return d.write([]byte("QWORD (0x"), hex8(n>>32), []byte("-0x"), hex8(n&0xffffffff), []byte(")"))
}

// hex8 writes a number in eight hexadecimal digits.
func hex8(n uint64) []byte {
	digits := strconv.AppendUint(make([]byte, 0, 9), n|1<<32, 16)
	return digits[1:]
}

// registryEventType is Sysmon's word for what was done to a value.
func registryEventType(d *Decoder, _ *Record, text []byte) []byte {
	switch string(text) {
	case "%%1904", "%%1905":
		return d.write([]byte("SetValue"))
	case "%%1906":
		return d.write([]byte("DeleteValue"))
	}
	return text
}

// initiated says whether the machine itself opened the connection.
func initiated(d *Decoder, _ *Record, text []byte) []byte {
	switch string(text) {
	case "%%14593", "Outbound":
		return d.write([]byte("true"))
	case "%%14592", "Inbound":
		return d.write([]byte("false"))
	}
	return nil
}
