package watch

import "slices"

// sources are the logs that come as JSON and are not Windows' own, tried in this order: what asks for more stands before
// what asks for less.
var sources = slices.Concat(cloudSources, endpointSources, applicationSources, networkSources, webSources, ecsSources())

var cloudSources = []source{
	{
		title: "AWS CloudTrail", when: "eventSource eventName awsRegion",
		log: logOf("aws", "cloudtrail", ""), times: "eventTime @timestamp",
		names: []alias{{from: "sourceIPAddress", to: "src_ip"}},
	},
	{
		title: "AWS CloudTrail by Filebeat", when: "event.dataset=aws.cloudtrail",
		log: logOf("aws", "cloudtrail", ""), times: "@timestamp",
		names: []alias{
			{from: "event.action", to: "eventName"}, {from: "event.provider", to: "eventSource"},
			{from: "aws.cloudtrail.error_code", to: "errorCode"}, {from: "aws.cloudtrail.error_message", to: "errorMessage"},
			{from: "aws.cloudtrail.user_identity.type", to: "userIdentity.type"},
			{from: "aws.cloudtrail.user_identity.arn", to: "userIdentity.arn"},
			{from: "aws.cloudtrail.request_parameters", to: "requestParameters"},
			{from: "aws.cloudtrail.response_elements", to: "responseElements"},
			{from: "user_agent.original", to: "userAgent"}, {from: "source.ip", to: "sourceIPAddress"}, {from: "source.ip", to: "src_ip"},
		},
	},
	{
		title: "Entra sign-ins", when: "category=signinlogs|noninteractiveusersigninlogs|serviceprincipalsigninlogs|managedidentitysigninlogs|adfssigninlogs",
		log: logOf("azure", "signinlogs", ""), times: "time createdDateTime", names: signInNames,
	},
	{
		title: "Entra sign-ins from Log Analytics", when: "Type=signinlogs|aadnoninteractiveusersigninlogs|aadserviceprincipalsigninlogs|aadmanagedidentitysigninlogs",
		log: logOf("azure", "signinlogs", ""), times: "TimeGenerated CreatedDateTime", names: signInNames,
	},
	{
		title: "Entra sign-ins from Microsoft Graph", when: "userPrincipalName appId conditionalAccessStatus createdDateTime",
		log: logOf("azure", "signinlogs", ""), times: "createdDateTime", names: signInNames,
	},
	{
		title: "Privileged Identity Management", when: "riskEventType$alertincident|alertconfiguration",
		log: logOf("azure", "pim", ""), times: "time createdDateTime lastModifiedDateTime",
	},
	{
		title: "Entra risk detections", when: "riskEventType",
		log: logOf("azure", "riskdetection", ""), times: "time activityDateTime detectedDateTime TimeGenerated",
	},
	{
		title: "Entra audit", when: "category=auditlogs",
		log: logOf("azure", "auditlogs", ""), times: "time activityDateTime", names: auditNames,
	},
	{
		title: "Entra audit from Log Analytics", when: "Type=auditlogs",
		log: logOf("azure", "auditlogs", ""), times: "TimeGenerated ActivityDateTime", names: auditNames,
	},
	{
		title: "Entra audit from Microsoft Graph", when: "activityDisplayName loggedByService",
		log: logOf("azure", "auditlogs", ""), times: "activityDateTime", names: auditNames,
	},
	{
		title: "Azure activity", when: "operationName resourceId category=administrative|servicehealth|resourcehealth|alert|autoscale|recommendation|security|policy|action|write|delete",
		log: logOf("azure", "activitylogs", ""), times: "time eventTimestamp", names: activityNames,
	},
	{
		title: "Azure activity from Log Analytics", when: "OperationNameValue",
		log: logOf("azure", "activitylogs", ""), times: "TimeGenerated EventSubmissionTimestamp",
		names: []alias{{from: "OperationNameValue", to: "operationName"}},
	},
	{
		title: "Azure activity from the REST interface", when: "operationName.value resourceId",
		log: logOf("azure", "activitylogs", ""), times: "eventTimestamp", names: activityNames,
	},
	{
		title: "Microsoft 365 audit: alerts", when: "Workload=securitycompliancecenter Operation",
		log: logOf("m365", "threat_management threat_detection audit", ""), times: "CreationTime @timestamp", names: m365Names,
	},
	{
		title: "Microsoft 365 audit: Exchange", when: "Workload=exchange Operation",
		log: logOf("m365", "exchange audit", ""), times: "CreationTime @timestamp", names: m365Names,
	},
	{
		title: "Microsoft 365 audit", when: "Workload Operation",
		log: logOf("m365", "audit", ""), times: "CreationTime @timestamp", names: m365Names,
	},
	{
		title: "Microsoft Defender for Cloud Apps: alerts", when: "eventSource=securitycompliancecenter eventName",
		log: logOf("m365", "threat_management threat_detection audit", ""), times: "eventTime time timestamp",
	},
	{
		title: "Microsoft Defender for Cloud Apps: Exchange", when: "eventSource=exchange eventName",
		log: logOf("m365", "exchange audit", ""), times: "eventTime time timestamp",
	},
	{
		title: "Microsoft Defender alerts", when: "serviceSource threatDisplayName",
		log: logOf("m365", "alerts", "antivirus"), times: "firstActivityDateTime createdDateTime",
		names: []alias{
			{from: "threatDisplayName", to: "Signature"}, {from: "evidence.fileDetails.fileName", to: "Filename"},
			{from: "evidence.fileDetails.filePath", to: "Filename"},
		},
	},
	{
		title: "Google Workspace administration", when: "protoPayload.serviceName=admin.googleapis.com",
		log: logOf("gcp", "google_workspace.admin gcp.audit", ""), times: "timestamp receiveTimestamp", names: workspaceNames,
	},
	{
		title: "Google Workspace sign-ins", when: "protoPayload.serviceName=login.googleapis.com",
		log: logOf("gcp", "google_workspace.login gcp.audit", ""), times: "timestamp receiveTimestamp", names: workspaceNames,
	},
	{
		title: "Google Workspace administration from the Reports interface", when: "id.applicationName=admin events.name",
		log: logOf("gcp", "google_workspace.admin", ""), times: "id.time", names: reportNames,
	},
	{
		title: "Google Workspace sign-ins from the Reports interface", when: "id.applicationName=login events.name",
		log: logOf("gcp", "google_workspace.login", ""), times: "id.time", names: reportNames,
	},
	{
		title: "Google Cloud audit", when: "protoPayload.methodName protoPayload.serviceName",
		log: logOf("gcp", "gcp.audit", ""), times: "timestamp receiveTimestamp",
		names: []alias{{from: "protoPayload.methodName", to: "gcp.audit.method_name"}, {from: "protoPayload.serviceName", to: "gcp.audit.service_name"}},
	},
	{
		title: "Google Cloud audit by Filebeat", when: "event.dataset=gcp.audit",
		log: logOf("gcp", "gcp.audit", ""), times: "@timestamp",
		names: []alias{{from: "event.action", to: "gcp.audit.method_name"}, {from: "event.action", to: "data.protoPayload.methodName"}},
	},
	{title: "Okta", when: "eventType published actor.id", log: logOf("okta", "okta", ""), times: "published"},
	{title: "Okta, flat", when: "eventType actor.alternateId", log: logOf("okta", "okta", ""), times: "published @timestamp"},
	{title: "OneLogin", when: "event_type_id", log: logOf("onelogin", "onelogin.events", ""), times: "created_at event_timestamp"},
	{title: "GitHub audit", when: "action actor org", log: logOf("github", "audit", ""), times: "@timestamp created_at"},
	{title: "GitHub audit of an enterprise", when: "action actor _document_id", log: logOf("github", "audit", ""), times: "@timestamp created_at"},
	{title: "Bitbucket audit", when: "auditType.action auditType.category", log: logOf("bitbucket", "audit", ""), times: "timestamp"},
	{title: "Cisco Duo", when: "event_type=authentication|enrollment factor", log: logOf("cisco", "duo", ""), times: "isotimestamp timestamp"},
	{title: "Cisco Duo, without a factor", when: "event_type=authentication txid", log: logOf("cisco", "duo", ""), times: "isotimestamp timestamp"},
	{title: "Qualys", when: "host.scan.vuln", log: logOf("qualys", "", ""), times: "@timestamp"},
}

var signInNames = []alias{
	{from: "status.errorCode", to: "ResultType"}, {from: "status.failureReason", to: "ResultDescription"},
	{from: "ipAddress", to: "callerIpAddress"}, {from: "userPrincipalName", to: "Username"},
	{from: "clientAppUsed", to: "ClientApp"}, {from: "location.countryOrRegion", to: "location"},
	{from: "resultType", to: "Status", as: signInStatus}, {from: "status.errorCode", to: "Status", as: signInStatus},
	{from: "riskState", to: "RiskState"},
}

// signInStatus is Success for the error code 0 of a sign-in.
func signInStatus(d *Decoder, _ *Record, text []byte) []byte {
	if string(text) == "0" {
		return d.write([]byte("Success"))
	}
	return d.write([]byte("Failure"))
}

var auditNames = []alias{
	{from: "activityDisplayName", to: "OperationName"}, {from: "operationName", to: "ActivityDisplayName"},
	{from: "result", to: "Status"}, {from: "resultReason", to: "failure_status_reason"},
	{from: "initiatedBy.user.userPrincipalName", to: "Initiatied.By"}, {from: "initiatedBy.app.displayName", to: "Initiatied.By"},
	{from: "activityDisplayName", to: "ActivityType"}, {from: "operationName", to: "ActivityType"},
}

var activityNames = []alias{
	{from: "operationName", to: "OperationNameValue"}, {from: "operationName.value", to: "OperationNameValue"},
	{from: "operationName.value", to: "operationName"}, {from: "category", to: "CategoryValue"},
	{from: "category.value", to: "CategoryValue"}, {from: "resourceProviderName.value", to: "ResourceProviderValue"},
	{from: "resourceProvider", to: "ResourceProviderValue"},
}

var m365Names = []alias{
	{from: "Workload", to: "eventSource"}, {from: "Operation", to: "eventName"}, {from: "Name", to: "eventName"},
	{from: "ResultStatus", to: "status", as: m365Status},
}

// m365Status is success for the words that Microsoft 365 has for it.
func m365Status(d *Decoder, _ *Record, text []byte) []byte {
	switch string(text) {
	case "True", "true", "Succeeded", "Success":
		return d.write([]byte("success"))
	}
	return text
}

var workspaceNames = []alias{
	{from: "protoPayload.serviceName", to: "eventService"},
	{from: "protoPayload.metadata.event.eventName", to: "eventName"},
	{from: "protoPayload.methodName", to: "gcp.audit.method_name"},
}

var reportNames = []alias{
	{from: "events.name", to: "eventName"},
	{from: "events.name", to: "protoPayload.metadata.event.eventName"},
	{from: "id.applicationName", to: "eventService", as: reportService},
	{from: "id.applicationName", to: "protoPayload.serviceName", as: reportService},
}

// reportService is the service that Google Cloud's audit writes for an application of the Reports interface.
func reportService(d *Decoder, _ *Record, text []byte) []byte {
	return d.write(text, []byte(".googleapis.com"))
}
