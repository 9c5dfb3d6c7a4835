package watch

// endpointSources are what machines say of themselves through products of their own: Microsoft Defender's advanced hunting
// tables, auditd as JSON, macOS' Endpoint Security.
var endpointSources = []source{
	defender("processes", "processcreated", "process_creation", []alias{
		{from: "FolderPath", to: "Image"}, {from: "ProcessCommandLine", to: "CommandLine"},
		{from: "InitiatingProcessFolderPath", to: "ParentImage"}, {from: "InitiatingProcessCommandLine", to: "ParentCommandLine"},
		{from: "InitiatingProcessId", to: "ParentProcessId"}, {from: "InitiatingProcessParentFileName", to: "GrandParentImage"},
		{from: "ProcessVersionInfoOriginalFileName", to: "OriginalFileName"},
		{from: "ProcessVersionInfoFileDescription", to: "Description"}, {from: "ProcessVersionInfoProductName", to: "Product"},
		{from: "ProcessVersionInfoCompanyName", to: "Company"}, {from: "ProcessVersionInfoProductVersion", to: "FileVersion"},
		{from: "ProcessIntegrityLevel", to: "IntegrityLevel"},
		{from: "AccountName", to: "User", as: defenderUser}, {from: "InitiatingProcessAccountName", to: "ParentUser"},
	}),
	defender("files created", "filecreated|filemodified", "file_event", fileNames),
	defender("files renamed", "filerenamed", "file_rename file_event", append([]alias{
		{from: "PreviousFileName", to: "SourceFilename"},
	}, fileNames...)),
	defender("files deleted", "filedeleted", "file_delete", fileNames),
	defender("images loaded", "imageloaded", "image_load", []alias{
		{from: "FolderPath", to: "ImageLoaded"}, {from: "InitiatingProcessFolderPath", to: "Image"},
		{from: "InitiatingProcessCommandLine", to: "CommandLine"}, {from: "InitiatingProcessAccountName", to: "User"},
	}),
	defender("drivers loaded", "driverload", "driver_load", []alias{{from: "FolderPath", to: "ImageLoaded"}}),
	defender("registry values set", "registryvalueset", "registry_set registry_event", registryNames),
	defender("registry keys created", "registrykeycreated", "registry_add registry_event", registryNames),
	defender("registry keys and values deleted", "registrykeydeleted|registryvaluedeleted", "registry_delete registry_event", registryNames),
	defender("registry keys renamed", "registrykeyrenamed", "registry_rename registry_event", registryNames),
	defender("connections", "connectionsuccess|connectionfailed|connectionattempt|connectionrequest|connectionfound|inboundconnectionaccepted|httpconnectioninspected|sslconnectioninspected",
		"network_connection", []alias{
			{from: "RemoteIP", to: "DestinationIp"}, {from: "RemotePort", to: "DestinationPort"},
			{from: "RemoteUrl", to: "DestinationHostname"}, {from: "LocalIP", to: "SourceIp"}, {from: "LocalPort", to: "SourcePort"},
			{from: "InitiatingProcessFolderPath", to: "Image"}, {from: "InitiatingProcessCommandLine", to: "CommandLine"},
			{from: "InitiatingProcessAccountName", to: "User"}, {from: "ActionType", to: "Initiated", as: defenderInitiated},
		}),
	defender("DNS", "dnsqueryresponse|dnsconnectioninspected", "dns_query", []alias{
		{from: "RemoteUrl", to: "QueryName"}, {from: "AdditionalFields.DnsQueryString", to: "QueryName"},
		{from: "AdditionalFields.query", to: "QueryName"}, {from: "InitiatingProcessFolderPath", to: "Image"},
	}),
	defender("pipes", "namedpipeevent", "pipe_created", []alias{
		{from: "AdditionalFields.PipeName", to: "PipeName"}, {from: "InitiatingProcessFolderPath", to: "Image"},
	}),
	defender("remote threads", "createremotethreadapicall", "create_remote_thread", []alias{
		{from: "InitiatingProcessFolderPath", to: "SourceImage"}, {from: "FolderPath", to: "TargetImage"},
	}),
	defender("process access", "openprocessapicall", "process_access", []alias{
		{from: "InitiatingProcessFolderPath", to: "SourceImage"}, {from: "FolderPath", to: "TargetImage"},
		{from: "AdditionalFields.DesiredAccess", to: "GrantedAccess"},
	}),
	defender("scripts", "powershellcommand|amsiscriptcontent", "ps_script", []alias{
		{from: "AdditionalFields.Command", to: "ScriptBlockText"}, {from: "AdditionalFields.ScriptContent", to: "ScriptBlockText"},
	}),
	defender("antivirus", "antivirusdetection|antivirusreport", "antivirus", []alias{
		{from: "AdditionalFields.ThreatName", to: "Signature"}, {from: "FolderPath", to: "Filename"}, {from: "FileName", to: "Filename"},
	}),
	{
		title: "Microsoft Defender: other events", when: "ActionType DeviceName", log: logOf("windows", "", ""),
		times: "Timestamp time TimeGenerated",
	},
	{
		title: "macOS Endpoint Security: processes", when: "event.exec.target.executable.path",
		log: logOf("macos", "", "process_creation"), times: "time",
		names: []alias{
			{from: "event.exec.target.executable.path", to: "Image"}, {from: "process.executable.path", to: "ParentImage"},
			{from: "event.exec.args", to: "CommandLine", as: allOf("event.exec.args")},
		},
	},
	{
		title: "macOS Endpoint Security: files", when: "event.create.destination_type process.executable.path",
		log: logOf("macos", "", "file_event"), times: "time",
		names: []alias{
			{from: "event.create.destination.existing_file.path", to: "TargetFilename"},
			{from: "event.create.destination.new_path.dir.path", to: "TargetFilename", as: newPath},
			{from: "process.executable.path", to: "Image"},
		},
	},
	{
		title: "auditd by Auditbeat", when: "auditd.message_type", log: logOf("linux", "auditd", ""), times: "@timestamp",
		names: append([]alias{
			{from: "auditd.message_type", to: "type"}, {from: "auditd.data.syscall", to: "SYSCALL"},
			{from: "process.executable", to: "exe"}, {from: "process.name", to: "comm"}, {from: "tags", to: "key"},
			{from: "auditd.paths.name", to: "name"}, {from: "auditd.paths.nametype", to: "nametype"},
			{from: "auditd.data.unit", to: "unit"}, {from: "user.effective.id", to: "euid"},
		}, auditdArguments()...),
	},
	{
		title: "auditd by Laurel", when: "SYSCALL.SYSCALL ID", log: logOf("linux", "auditd", ""), times: "@timestamp ID",
		names: []alias{
			{from: "SYSCALL.SYSCALL", to: "SYSCALL"}, {from: "SYSCALL.exe", to: "exe"}, {from: "SYSCALL.comm", to: "comm"},
			{from: "SYSCALL.key", to: "key"}, {from: "SYSCALL.euid", to: "euid"}, {from: "PATH.name", to: "name"},
			{from: "PATH.nametype", to: "nametype"}, {from: "SYSCALL.syscall", to: "SYSCALL"},
		},
	},
	{
		title: "auditd, a record a line", log: logOf("linux", "auditd", ""), times: "@timestamp timestamp time",
		when: "type=syscall|execve|path|cwd|proctitle|user_cmd|user_auth|user_login|user_start|user_end|user_acct|cred_acq|cred_disp|service_start|service_stop|add_user|del_user|user_chauthtok|bprm_fcaps|config_change|daemon_start|daemon_end|tty|user_tty|sockaddr|avc|anom_promiscuous|crypto_key_user msg",
	},
}

// defender is a table of advanced hunting: its rows name their kind in ActionType.
func defender(what, actions, categories string, names []alias) source {
	return source{
		title: "Microsoft Defender: " + what, when: "ActionType=" + actions, log: logOf("windows", "", categories),
		times: "Timestamp time TimeGenerated",
		names: append([]alias{
			{from: "MD5", to: "md5"}, {from: "SHA1", to: "sha1"}, {from: "SHA256", to: "sha256"}, {from: "DeviceName", to: "Computer"},
			{from: "MD5", to: "Hashes", as: hashCalled("MD5=")}, {from: "SHA1", to: "Hashes", as: hashCalled("SHA1=")},
			{from: "SHA256", to: "Hashes", as: hashCalled("SHA256=")},
		}, names...),
	}
}

// hashCalled writes a hash as Sysmon does.
func hashCalled(kind string) func(*Decoder, *Record, []byte) []byte {
	return func(d *Decoder, _ *Record, text []byte) []byte {
		if len(text) == 0 {
			return nil
		}
		return d.write([]byte(kind), text)
	}
}

var fileNames = []alias{
	{from: "FolderPath", to: "TargetFilename"}, {from: "InitiatingProcessFolderPath", to: "Image"},
	{from: "InitiatingProcessCommandLine", to: "CommandLine"}, {from: "InitiatingProcessParentFileName", to: "ParentImage"},
	{from: "InitiatingProcessAccountName", to: "User"}, {from: "InitiatingProcessIntegrityLevel", to: "IntegrityLevel"},
}

var registryNames = []alias{
	{from: "RegistryKey", to: "TargetObject", as: defenderKey}, {from: "RegistryValueData", to: "Details", as: defenderDetails},
	{from: "InitiatingProcessFolderPath", to: "Image"}, {from: "ActionType", to: "EventType", as: defenderEventType},
	{from: "InitiatingProcessAccountName", to: "User"},
}

// defenderUser is DOMAIN\name.
func defenderUser(d *Decoder, r *Record, text []byte) []byte {
	if domain := beside(r, "AccountDomain"); len(domain) > 0 {
		return d.write(domain, []byte(`\`), text)
	}
	return text
}

// defenderInitiated says whether the machine itself opened the connection.
func defenderInitiated(d *Decoder, _ *Record, text []byte) []byte {
	if string(text) == "InboundConnectionAccepted" {
		return d.write([]byte("false"))
	}
	return d.write([]byte("true"))
}

// hives are the roots of the registry as Defender and as Sysmon write them.
var hives = []struct{ long, short string }{
	{"HKEY_LOCAL_MACHINE", "HKLM"}, {"HKEY_USERS", "HKU"}, {"HKEY_CURRENT_USER", "HKCU"}, {"HKEY_CLASSES_ROOT", "HKCR"},
}

// defenderKey writes a key as Sysmon does: a short root, and the value's name behind it.
func defenderKey(d *Decoder, r *Record, text []byte) []byte {
	var root []byte
	for _, h := range hives {
		if len(text) >= len(h.long) && string(text[:len(h.long)]) == h.long {
			root, text = []byte(h.short), text[len(h.long):]
		}
	}
	if value := beside(r, "RegistryValueName"); len(value) > 0 {
		return d.write(root, text, []byte(`\`), value)
	}
	return d.write(root, text)
}

// defenderDetails writes a value as Sysmon does.
func defenderDetails(d *Decoder, r *Record, text []byte) []byte {
	switch string(beside(r, "RegistryValueType")) {
	case "Dword":
		return dword(d, text)
	case "Qword":
		return qword(d, text)
	case "Binary":
		return d.write([]byte("Binary Data"))
	}
	return text
}

// defenderEventType is Sysmon's word for what was done.
func defenderEventType(d *Decoder, _ *Record, text []byte) []byte {
	switch string(text) {
	case "RegistryValueSet":
		return d.write([]byte("SetValue"))
	case "RegistryKeyCreated":
		return d.write([]byte("CreateKey"))
	case "RegistryKeyDeleted":
		return d.write([]byte("DeleteKey"))
	case "RegistryValueDeleted":
		return d.write([]byte("DeleteValue"))
	case "RegistryKeyRenamed":
		return d.write([]byte("RenameKey"))
	}
	return nil
}

// allOf writes all values of the name with blanks between them, once a record.
func allOf(name string) func(*Decoder, *Record, []byte) []byte {
	return func(d *Decoder, r *Record, text []byte) []byte {
		need, first := 0, true
		for i := range r.Values {
			v := &r.Values[i]
			if string(v.Name) != name {
				continue
			}
			if first && len(text) > 0 && (len(v.Text) == 0 || &v.Text[0] != &text[0]) {
				return nil // it is not the first of them
			}
			first = false
			need += len(v.Text) + 1
		}
		d.room(d.used, need)
		from := d.used
		for i := range r.Values {
			v := &r.Values[i]
			if string(v.Name) != name {
				continue
			}
			if d.used > from {
				d.scratch[d.used] = ' '
				d.used++
			}
			d.used += copy(d.scratch[d.used:], v.Text)
		}
		return d.scratch[from:d.used:d.used]
	}
}

// newPath is the path of a file that macOS is about to make.
func newPath(d *Decoder, r *Record, text []byte) []byte {
	return d.write(text, []byte("/"), beside(r, "event.create.destination.new_path.filename"))
}

func auditdArguments() []alias {
	var names []alias
	for _, a := range []string{"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"} {
		names = append(names, alias{from: "auditd.data." + a, to: a})
	}
	return names
}
