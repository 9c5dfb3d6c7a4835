package watch_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wardwatch/test/shared"
	"wardwatch/watch"
)

// One event a log: what it is, and some of the names its values have.
func TestLogs(t *testing.T) {
	sysmon := func(id, data string) string {
		return `{"Event":{"#attributes":{"xmlns":"x"},"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon","Guid":"g"}},"EventID":` + id +
			`,"TimeCreated":{"#attributes":{"SystemTime":"2025-05-13T01:02:03.4Z"}},"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"ws1.ward.example"},"EventData":{` + data + `}}}`
	}
	flat := func(channel, id, data string) string {
		return `{"EventID":` + id + `,` + data + `,"Channel":"` + channel + `","Hostname":"ws1.ward.example","SourceName":"Provider of Ours","TimeCreated":"2025-05-13T01:02:03Z"}`
	}
	for _, row := range []struct{ name, event, log, fields string }{
		{"Sysmon, as EVTX tools write it", sysmon("1", `"Image":"C:\\a.exe","Hashes":"MD5=AB,SHA256=CD,IMPHASH=EF"`), "windows sysmon process_creation",
			`EventID=1 Image=C:\a.exe Provider_Name=Microsoft-Windows-Sysmon ComputerName=ws1.ward.example md5=AB sha256=CD imphash=EF`},
		{"a file's time changed", sysmon("2", `"a":1`), "windows sysmon file_change", ""},
		{"a connection", sysmon("3", `"DestinationIp":"192.0.2.1"`), "windows sysmon network_connection", "DestinationIp=192.0.2.1"},
		{"Sysmon starts", sysmon("4", `"State":"Started"`), "windows sysmon sysmon_status", ""},
		{"a process ends", sysmon("5", `"a":1`), "windows sysmon process_termination", ""},
		{"a driver", sysmon("6", `"a":1`), "windows sysmon driver_load", ""},
		{"an image", sysmon("7", `"a":1`), "windows sysmon image_load", ""},
		{"a remote thread", sysmon("8", `"a":1`), "windows sysmon create_remote_thread", ""},
		{"a disk read raw", sysmon("9", `"a":1`), "windows sysmon raw_access_thread", ""},
		{"a process opened", sysmon("10", `"a":1`), "windows sysmon process_access", ""},
		{"a file", sysmon("11", `"a":1`), "windows sysmon file_event", ""},
		{"a key made", sysmon("12", `"EventType":"CreateKey"`), "windows sysmon registry_add,registry_event", ""},
		{"a key deleted", sysmon("12", `"EventType":"DeleteKey"`), "windows sysmon registry_delete,registry_event", ""},
		{"a key, not said how", sysmon("12", `"EventType":"INFO"`), "windows sysmon registry_add,registry_delete,registry_event", ""},
		{"a value set", sysmon("13", `"EventType":"SetValue"`), "windows sysmon registry_set,registry_event", ""},
		{"a key renamed", sysmon("14", `"EventType":"RenameKey"`), "windows sysmon registry_rename,registry_event", ""},
		{"a stream", sysmon("15", `"Hash":"SHA1=AA,MD5=BB"`), "windows sysmon create_stream_hash", "md5=BB sha1=AA"},
		{"a pipe", sysmon("17", `"PipeName":"\\x"`), "windows sysmon pipe_created", `PipeName=\x`},
		{"a WMI filter", sysmon("19", `"a":1`), "windows sysmon wmi_event", ""},
		{"a name asked for", sysmon("22", `"QueryName":"x.example"`), "windows sysmon dns_query", "QueryName=x.example"},
		{"a file deleted", sysmon("23", `"a":1`), "windows sysmon file_delete", ""},
		{"a file's deletion seen", sysmon("26", `"a":1`), "windows sysmon file_delete,file_delete_detected", ""},
		{"an executable", sysmon("29", `"a":1`), "windows sysmon file_executable_detected", ""},
		{"Sysmon in trouble", sysmon("255", `"a":1`), "windows sysmon sysmon_error", ""},
		{"an event that no category names", sysmon("77", `"a":1`), "windows sysmon", ""},

		{"attributes beside a text", `{"Event":{"System":{"Provider_Name":"x","EventID":{"#attributes":{"Qualifiers":16384},"#text":7045},"Channel":"System"},"EventData":{"ServiceName":"s"}}}`,
			"windows system", "EventID=7045 EventID_Qualifiers=16384 ServiceName=s"},
		{"values beside names", `{"System":{"EventID":{"Value":4104},"Channel":"Microsoft-Windows-PowerShell/Operational","TimeCreated":{"SystemTime":1747098123.5}},"EventData":{"ScriptBlockText":"x"}}`,
			"windows powershell ps_script", "EventID=4104 ScriptBlockText=x TimeCreated_SystemTime=1747098123.5"},
		{"Data as a list", `{"Event":{"System":{"EventID":400,"Channel":"Windows PowerShell"},"EventData":{"Data":["a","b"]}}}`,
			"windows powershell-classic ps_classic_start", "Data=a Data=b"},
		{"Data as a list of texts", `{"Event":{"System":{"EventID":800,"Channel":"Windows PowerShell"},"EventData":{"Data":{"#text":["a","b"]},"Binary":null}}}`,
			"windows powershell-classic ps_classic_script", "Data=a Data=b"},
		{"Data as names and texts", `{"Event":{"System":{"EventID":4688,"Channel":"Security"},"EventData":{"Data":[{"@Name":"NewProcessName","#text":"C:\\a.exe"},{"@Name":"Empty"}]}}}`,
			"windows security process_creation", `NewProcessName=C:\a.exe Image=C:\a.exe Empty=`},
		{"UserData", `{"Event":{"System":{"EventID":5858,"Channel":"Microsoft-Windows-WMI-Activity/Operational"},"EventData":null,"UserData":{"Operation_ClientFailure":{"#attributes":{"xmlns":"m"},"Operation":"Start","User":"u"}}}}`,
			"windows wmi", "Operation=Start User=u"},
		{"winlogbeat", `{"@timestamp":"2025-05-13T01:02:03Z","winlog":{"event_id":1,"channel":"Microsoft-Windows-Sysmon/Operational","provider_name":"Microsoft-Windows-Sysmon","computer_name":"ws1","event_data":{"CommandLine":"x"}},"process":{"executable":"y"}}`,
			"windows sysmon process_creation", "EventID=1 CommandLine=x Provider_Name=Microsoft-Windows-Sysmon process.executable=y Computer=ws1"},
		{"winlogbeat, flattened", `{"winlog.event_id":"4688","winlog.channel":"Security","winlog.event_data.NewProcessName":"x"}`,
			"windows security process_creation", "EventID=4688 Image=x"},
		{"NXLog", flat("Security", "4688", `"NewProcessName":"C:\\a.exe","ParentProcessName":"C:\\b.exe","SubjectUserName":"u","SubjectDomainName":"D","MandatoryLabel":"S-1-16-12288","NewProcessId":"0x10","ProcessId":"0x20"`),
			"windows security process_creation", `Image=C:\a.exe ParentImage=C:\b.exe User=D\u IntegrityLevel=High ProcessId=0x10 ParentProcessId=0x20 Provider_Name=Provider of Ours Computer=ws1.ward.example`},
		{"the channel in small letters", flat("security", "4689", `"ProcessName":"x"`), "windows security process_termination", "Image=x"},
		{"a registry value, audited", flat("Security", "4657", `"ObjectName":"\\REGISTRY\\MACHINE\\SYSTEM\\Setup","ObjectValueName":"Start","OperationType":"%%1905","NewValueType":"%%1876","NewValue":"4","ProcessName":"x"`),
			"windows security registry_set,registry_event", `TargetObject=HKLM\SYSTEM\Setup\Start Details=DWORD (0x00000004) EventType=SetValue Image=x`},
		{"a registry value deleted, audited", flat("Security", "4657", `"ObjectName":"\\REGISTRY\\USER\\S-1","OperationType":"%%1906"`),
			"windows security registry_delete,registry_event", `TargetObject=HKU\S-1 EventType=DeleteValue`},
		{"a connection, audited", flat("Security", "5156", `"Application":"x","DestAddress":"192.0.2.1","DestPort":"443","Direction":"%%14593"`),
			"windows security network_connection", "Image=x DestinationIp=192.0.2.1 DestinationPort=443 Initiated=true"},
		{"a module's pipeline", flat("Microsoft-Windows-PowerShell/Operational", "4103", `"Payload":"x"`), "windows powershell ps_module", "Payload=x"},
		{"PowerShell 7", flat("PowerShellCore/Operational", "4104", `"ScriptBlockText":"x"`), "windows powershell ps_script", ""},
		{"a provider of the old PowerShell", flat("Windows PowerShell", "600", `"Message":"x"`), "windows powershell-classic ps_classic_provider_start", "Data=x"},
		{"a threat found", flat("Microsoft-Windows-Windows Defender/Operational", "1116", `"Threat Name":"x","Path":"y"`), "windows windefend antivirus", "ThreatName=x Signature=x Filename=y"},
		{"a channel that nobody names", flat("Our Own/Channel", "1", `"a":1`), "windows", "a=1"},
		{"a provider without a channel", `{"EventID":12,"ProviderName":"Microsoft-Windows-Kernel-File","FileName":"x"}`, "windows kernel-file file_access", "FileName=x"},
		{"Log Analytics", `{"Type":"Event","EventLog":"System","Source":"Service Control Manager","EventID":7045}`, "windows system", "Channel=System EventID=7045"},
		{"Splunk", `{"EventCode":"4688","LogName":"Security","NewProcessName":"x"}`, "windows security process_creation", "EventID=4688 Image=x"},
		{"Wazuh", `{"data":{"win":{"system":{"providerName":"p","eventID":"1","channel":"Microsoft-Windows-Sysmon/Operational"},"eventdata":{"commandLine":"x"}}}}`,
			"windows sysmon process_creation", "CommandLine=x EventID=1 Provider_Name=p"},
		{"Sysmon on Linux", `{"Event":{"System":{"Provider":{"#attributes":{"Name":"Linux-Sysmon"}},"EventID":1,"Channel":"Linux-Sysmon/Operational"},"EventData":{"Image":"/bin/sh"}}}`,
			"linux sysmon process_creation", "Image=/bin/sh"},
		{"RPC Firewall", flat("RPCFW", "3", `"InterfaceUuid":"x"`), "rpc_firewall application", "EventLog=RPCFW EventID=3"},

		{"Defender: a process", `{"Timestamp":"t","DeviceName":"d","ActionType":"ProcessCreated","FolderPath":"C:\\a.exe","ProcessCommandLine":"a -b","InitiatingProcessFolderPath":"c","AccountDomain":"D","AccountName":"u","SHA1":"AA"}`,
			"windows process_creation", `Image=C:\a.exe CommandLine=a -b ParentImage=c User=D\u Hashes=SHA1=AA`},
		{"Defender: names with blanks", `{"Action Type":"FileCreated","Folder Path":"C:\\x","Initiating Process Folder Path":"y"}`, "windows file_event", `TargetFilename=C:\x Image=y`},
		{"Defender: streamed", `{"time":"t","category":"AdvancedHunting-DeviceRegistryEvents","properties":{"ActionType":"RegistryValueSet","RegistryKey":"HKEY_LOCAL_MACHINE\\SOFTWARE\\K","RegistryValueName":"V","RegistryValueType":"Dword","RegistryValueData":"1"}}`,
			"windows registry_set,registry_event", `TargetObject=HKLM\SOFTWARE\K\V Details=DWORD (0x00000001) EventType=SetValue`},
		{"Defender: a connection", `{"ActionType":"ConnectionSuccess","RemoteIP":"192.0.2.1","RemotePort":443}`, "windows network_connection", "DestinationIp=192.0.2.1 DestinationPort=443 Initiated=true"},
		{"Defender: an alert", `{"serviceSource":"microsoftDefenderForEndpoint","threatDisplayName":"x","evidence":[{"fileDetails":{"fileName":"f"}}]}`, "m365 alerts antivirus", "Signature=x Filename=f"},

		{"CloudTrail", `{"eventVersion":"1.08","eventTime":"2025-05-13T01:02:03Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser","awsRegion":"eu-west-2","sourceIPAddress":"192.0.2.1","requestParameters":{"userName":"x"},"userIdentity":{"type":"Root"}}`,
			"aws cloudtrail", "eventName=CreateUser requestParameters.userName=x userIdentity.type=Root src_ip=192.0.2.1"},
		{"CloudTrail by Filebeat", `{"event":{"dataset":"aws.cloudtrail","action":"CreateUser","provider":"iam.amazonaws.com"}}`, "aws cloudtrail", "eventName=CreateUser eventSource=iam.amazonaws.com"},
		{"Entra sign-in", `{"time":"t","category":"SignInLogs","resultType":"0","properties":{"appId":"x","deviceDetail":{"trustType":""}}}`,
			"azure signinlogs", "ResultType=0 Status=Success properties.appId=x DeviceDetail.trusttype="},
		{"Entra sign-in from Graph", `{"createdDateTime":"t","userPrincipalName":"u@org.example","appId":"x","conditionalAccessStatus":"success","status":{"errorCode":50126}}`, "azure signinlogs", "ResultType=50126 Status=Failure Username=u@org.example"},
		{"Entra audit", `{"time":"t","category":"AuditLogs","operationName":"Add user","properties":{"targetResources":[{"type":"User","modifiedProperties":[{"displayName":"a","newValue":"b"}]}]}}`,
			"azure auditlogs", "OperationName=Add user targetResources.type=User TargetResources.ModifiedProperties.NewValue=b"},
		{"Azure activity", `{"time":"t","resourceId":"/s","operationName":"MICROSOFT.X/WRITE","category":"Administrative"}`, "azure activitylogs", "OperationNameValue=MICROSOFT.X/WRITE CategoryValue=Administrative"},
		{"a risk", `{"riskEventType":"anomalousToken","activityDateTime":"t"}`, "azure riskdetection", ""},
		{"a privileged role", `{"riskEventType":"staleSignInAlertIncident"}`, "azure pim", ""},
		{"Microsoft 365", `{"CreationTime":"t","Workload":"AzureActiveDirectory","Operation":"UserLoggedIn","RecordType":15}`, "m365 audit", "Operation=UserLoggedIn"},
		{"Microsoft 365: alerts", `{"CreationTime":"t","Workload":"SecurityComplianceCenter","Operation":"AlertTriggered","Name":"Suspicious inbox forwarding","ResultStatus":"Succeeded"}`,
			"m365 threat_management+threat_detection+audit", "eventSource=SecurityComplianceCenter eventName=Suspicious inbox forwarding status=success"},
		{"Exchange", `{"CreationTime":"t","Workload":"Exchange","Operation":"New-InboxRule","Parameters":[{"Name":"ForwardTo","Value":"x@org.example"}]}`,
			"m365 exchange+audit", `Parameters={"Name":"ForwardTo","Value":"x@org.example"}`},
		{"Google Cloud", `{"timestamp":"t","protoPayload":{"serviceName":"iam.googleapis.com","methodName":"X","authorizationInfo":[{"permission":"p","granted":true}]}}`,
			"gcp gcp.audit", "gcp.audit.method_name=X data.protoPayload.authorizationInfo.permission=p data.protoPayload.authorizationInfo.granted=true"},
		{"Google Workspace", `{"timestamp":"t","protoPayload":{"serviceName":"admin.googleapis.com","methodName":"m","metadata":{"event":[{"eventName":"CHANGE","parameter":[{"name":"NEW_VALUE","value":"v"}]}]}}}`,
			"gcp google_workspace.admin+gcp.audit", "eventService=admin.googleapis.com eventName=CHANGE new_value=v"},
		{"Google Workspace's reports", `{"id":{"time":"t","applicationName":"admin"},"events":[{"name":"CHANGE","parameters":[{"name":"SETTING_NAME","value":"s"}]}]}`,
			"gcp google_workspace.admin", "eventService=admin.googleapis.com eventName=CHANGE setting_name=s"},
		{"Okta", `{"eventType":"user.session.start","published":"t","actor":{"id":"1","alternateId":"u@org.example"},"target":[{"displayName":"x"}]}`, "okta okta", "target.displayName=x"},
		{"OneLogin", `{"event_type_id":3,"created_at":"t"}`, "onelogin onelogin.events", ""},
		{"GitHub", `{"@timestamp":1747098123000,"action":"org.add_member","actor":"a","org":"o"}`, "github audit", "action=org.add_member"},
		{"Bitbucket", `{"timestamp":"t","auditType":{"action":"Project created","category":"Projects"}}`, "bitbucket audit", "auditType.category=Projects"},
		{"Duo", `{"event_type":"authentication","factor":"none","reason":"bypass_user"}`, "cisco duo", "reason=bypass_user"},
		{"Kubernetes", `{"kind":"Event","auditID":"1","verb":"create","objectRef":{"resource":"pods","apiGroup":"apps"},"requestObject":{"spec":{"volumes":[{"hostPath":{"path":"/"}}]}}}`,
			"kubernetes audit application", "apiGroup=apps hostPath=/"},
		{"OpenCanary", `{"logtype":3000,"node_id":"n","utc_time":"t"}`, "opencanary application", "logtype=3000"},
		{"Zeek DNS", `{"ts":1.5,"uid":"C","id.orig_h":"192.0.2.1","query":"x.example","qtype_name":"A","answers":["192.0.2.2"]}`, "zeek dns dns", "answer=192.0.2.2 record_type=A src_ip=192.0.2.1"},
		{"Zeek HTTP", `{"_path":"http","ts":1.5,"uid":"C","id":{"orig_h":"192.0.2.1"},"method":"GET","uri":"/a/b.php?c=d","user_agent":"u","status_code":200}`,
			"zeek http proxy,webserver", "cs-uri-stem=/a/b.php cs-uri-query=c=d c-uri-extension=php cs-user-agent=u id.orig_h=192.0.2.1 sc-status=200"},
		{"Zeek SMB", `{"_path":"smb_files","uid":"C","name":"x","path":"\\\\a\\b"}`, "zeek smb_files", `path=\\a\b`},
		{"Zeek certificates", `{"certificate.serial":"1","certificate.subject":"CN=x"}`, "zeek x509", ""},
		{"Zeek, another log", `{"uid":"C","id.orig_h":"192.0.2.1","id.resp_h":"192.0.2.2","note":"x"}`, "zeek", ""},
		{"auditd by Auditbeat", `{"auditd":{"message_type":"execve","data":{"a0":"cat","syscall":"execve"}},"process":{"executable":"/bin/cat"}}`, "linux auditd", "type=execve a0=cat SYSCALL=execve exe=/bin/cat"},
		{"auditd by Laurel", `{"ID":"1.2:3","SYSCALL":{"SYSCALL":"execve","exe":"/bin/cat","key":"k"},"PATH":[{"name":"/etc/x"}]}`, "linux auditd", "exe=/bin/cat key=k name=/etc/x"},
		{"a Mac's process", `{"time":"t","process":{"executable":{"path":"/bin/zsh"}},"event":{"exec":{"target":{"executable":{"path":"/bin/ls"}},"args":["ls","-l","/"]}}}`,
			"macos process_creation", "Image=/bin/ls ParentImage=/bin/zsh CommandLine=ls -l /"},
		{"a Mac's file", `{"process":{"executable":{"path":"/bin/zsh"}},"event":{"create":{"destination_type":1,"destination":{"new_path":{"dir":{"path":"/tmp"},"filename":"x"}}}}}`,
			"macos file_event", "TargetFilename=/tmp/x"},
		{"ECS: a process on Linux", `{"@timestamp":"t","event":{"category":["process"],"type":["start"]},"host":{"os":{"type":"linux"}},"process":{"executable":"/bin/sh","command_line":"sh -c x","parent":{"executable":"/bin/login"}}}`,
			"linux process_creation", "Image=/bin/sh CommandLine=sh -c x ParentImage=/bin/login"},
		{"ECS: a registry value", `{"event":{"category":["registry"],"type":["change"]},"host":{"os":{"family":"windows"}},"registry":{"path":"HKEY_USERS\\S\\K","data":{"strings":["v"]}}}`,
			"windows registry_set,registry_event", `TargetObject=HKU\S\K Details=v`},
		{"ECS: a web server", `{"event":{"dataset":"nginx.access"},"url":{"path":"/x","query":"y"},"http":{"request":{"method":"GET"}}}`, "webserver", "cs-uri-stem=/x cs-uri-query=y cs-method=GET"},
		{"ECS: DNS", `{"dns":{"question":{"name":"x.example","type":"A"}}}`, "dns", "query=x.example record_type=A"},
		{"exported from Elasticsearch", `{"_index":"i","_source":{"winlog":{"event_id":1,"channel":"Microsoft-Windows-Sysmon/Operational","event_data":{"Image":"x"}}}}`, "windows sysmon process_creation", "Image=x"},
		{"Nginx", `{"time_iso8601":"t","remote_addr":"192.0.2.1","status":"200","request_method":"GET","request_uri":"/a?b=c","http_user_agent":"u"}`,
			"nginx nginx webserver", "cs-method=GET cs-uri-stem=/a cs-uri-query=b=c sc-status=200 c-ip=192.0.2.1 cs-user-agent=u"},
		{"Nginx, the request in one", `{"remote_addr":"192.0.2.1","status":404,"request":"POST /a b?c HTTP/1.1","http_user_agent":"u"}`,
			"nginx nginx webserver", "cs-method=POST cs-uri-stem=/a b cs-uri-query=c sc-status=404"},
		{"Apache", `{"time":"t","remoteIP":"192.0.2.1","host":"www.org.example","request":"/a","query":"?b","method":"GET","status":"200","userAgent":"u","referer":"-"}`,
			"apache apache webserver", "cs-uri-stem=/a cs-uri-query=b cs-method=GET cs-host=www.org.example"},
		{"Caddy", `{"ts":1.5,"request":{"remote_ip":"192.0.2.1","method":"GET","uri":"/a?b","headers":{"User-Agent":["u"]}},"status":200}`,
			"webserver", "cs-uri-stem=/a cs-uri-query=b cs-user-agent=u"},
		{"Traefik", `{"RequestMethod":"GET","RequestPath":"/a?b","DownstreamStatus":200,"ClientHost":"192.0.2.1"}`, "webserver", "cs-uri-stem=/a sc-status=200"},
		{"IIS", `{"cs-method":"GET","cs-uri-stem":"/a","sc-status":"200"}`, "webserver", "cs-uri-stem=/a"},
		{"nothing known", `{"a":{"b":1},"timestamp":"2025-05-13T01:02:03Z"}`, "", "a.b=1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var names []string
			for _, f := range wanted(row.fields) {
				name, _, _ := strings.Cut(f, "=")
				names = append(names, name)
			}
			n := watch.NewNames(names...)
			var r watch.Record
			if _, err := watch.NewDecoder(n).JSON([]byte(row.event), &r); err != nil {
				t.Fatal(err)
			}
			if got := short(r.Class.Log()); got != row.log {
				t.Errorf("it is of %q instead of %q", got, row.log)
			}
			for _, f := range wanted(row.fields) {
				name, text, _ := strings.Cut(f, "=")
				if !slices.ContainsFunc(r.Values, func(v watch.Value) bool { return v.Field == n.Find([]byte(name)) && string(v.Text) == text }) {
					t.Errorf("no %s in %s", f, line(&r))
				}
			}
		})
	}
}

// wanted parts name=text name=text, where a text may have blanks but no name has.
func wanted(fields string) []string {
	var out []string
	for _, word := range strings.Fields(fields) {
		if strings.Contains(word, "=") {
			out = append(out, word)
		} else {
			out[len(out)-1] += " " + word
		}
	}
	return out
}

// short is a log in one line.
func short(l watch.Log) string {
	services := l.Service
	if len(l.Also) > 0 {
		services += "+" + strings.Join(l.Also, "+")
	}
	return strings.Join(strings.Fields(l.Product+" "+services+" "+strings.Join(l.Categories, ",")), " ")
}

// Once it has seen a log, a decoder allocates nothing, whatever names are asked for.
func TestDecodingAllocatesNothing(t *testing.T) {
	d := watch.NewDecoder(watch.NewNames(append([]string{"md5", "Initiated", "ComputerName", "TargetObject", "cs-uri-query"}, asked...)...))
	var r watch.Record
	for _, event := range []string{
		`{"EventID":4688,"Channel":"Security","NewProcessName":"C:\\a.exe","SubjectUserName":"u","SubjectDomainName":"D","MandatoryLabel":"S-1-16-12288"}`,
		`{"EventID":4657,"Channel":"Security","ObjectName":"\\REGISTRY\\MACHINE\\K","ObjectValueName":"V","NewValueType":"%%1876","NewValue":"4","OperationType":"%%1905"}`,
		`{"EventID":5156,"Channel":"Security","Direction":"%%14593"}`,
		`{"Event":{"System":{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational"},"EventData":{"Hashes":"MD5=A","Data":["a\n"]}}}`,
		`{"eventSource":"s3.amazonaws.com","eventName":"x","awsRegion":"eu-west-2","a":{"b":[{"c":1}]}}`,
		`{"remote_addr":"192.0.2.1","status":404,"request":"POST /a?c HTTP/1.1","http_user_agent":"u"}`,
		`{"event":{"category":["process"],"type":["start"]},"host":{"os":{"type":"linux"}},"process":{"executable":"/bin/sh"},"user":{"name":"u","domain":"D"}}`,
		`{"unknown":{"a":[1,2,{"b":null}]}}`,
	} {
		text := []byte(event)
		if n := testing.AllocsPerRun(100, func() {
			if _, err := d.JSON(text, &r); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%v allocations for %s", n, event)
		}
	}
}

func TestTimes(t *testing.T) {
	for event, want := range map[string]string{
		`{"EventID":1,"Channel":"System","UtcTime":"b","@timestamp":"a"}`:                   "a",
		`{"Event":{"System":{"EventID":1,"Channel":"S","TimeCreated":{"SystemTime":"x"}}}}`: "x",
		`{"eventSource":"s","eventName":"n","awsRegion":"r","eventTime":"x"}`:               "x",
		`{"some":1,"timestamp":1747098123}`:                                                 "1747098123",
		`{"some":1}`:                                                                        "",
	} {
		var r watch.Record
		if _, err := watch.NewDecoder(watch.NewNames()).JSON([]byte(event), &r); err != nil || string(r.Time) != want {
			t.Errorf("%s: %q instead of %q, %v", event, r.Time, want, err)
		}
	}
}

func TestClasses(t *testing.T) {
	logs := watch.Logs()
	for i, l := range logs {
		if got := watch.ClassOf(l); int(got) != i {
			t.Errorf("class %d of %s is found as %d", i, short(l), got)
		}
		if short(watch.Class(i).Log()) != short(l) { //nolint:gosec // a few hundred
			t.Errorf("class %d is not %s", i, short(l))
		}
	}
	if got := watch.ClassOf(watch.Log{Product: "nobody's"}); got != 0 {
		t.Errorf("an unknown log is class %d", got)
	}
	if got := watch.Class(60000).Log(); got.Product != "" {
		t.Errorf("an unknown class is %v", got)
	}
}

// anybody's are sources whose records nothing in them gives away: an application's own lines. Their rules are held against
// records of the unknown log.
var anybodys = []string{"django", "jvm", "nodejs", "python", "ruby_on_rails", "spring", "sql", "velocity"}

// Every log source of the community's rules is one that records come from.
func TestLogsOfTheRules(t *testing.T) {
	logs := watch.Logs()
	seen := 0
	root := filepath.Join(shared.Dir(t), "data", "sigma")
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(name) != ".yml" || strings.Contains(name, "regression") {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var s watch.Source
		_, after, found := strings.Cut(string(text), "\nlogsource:")
		if !found {
			return nil
		}
		for _, row := range strings.Split(after, "\n")[1:] {
			key, value, _ := strings.Cut(strings.TrimSpace(row), ":")
			value, _, _ = strings.Cut(value, "#")
			if value = strings.Trim(strings.TrimSpace(value), `'"`); !strings.HasPrefix(row, " ") {
				break
			}
			switch key {
			case "product":
				s.Product = value
			case "category":
				s.Category = value
			case "service":
				s.Service = value
			}
		}
		seen++
		if slices.Contains(anybodys, s.Product) || slices.ContainsFunc(logs, func(l watch.Log) bool { return l.Is(s) }) {
			return nil
		}
		t.Errorf("%s: no log is %+v", filepath.Base(name), s)
		return nil
	})
	if err != nil || seen < 3000 {
		t.Fatalf("%d rules, %v", seen, err)
	}
}
