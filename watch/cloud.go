package watch

// sources are tried in this order: what asks for more stands before what asks for less.
var sources = []source{
	{title: "AWS CloudTrail", when: "eventSource eventName awsRegion", log: logOf("aws", "cloudtrail", ""), times: "eventTime @timestamp"},
}
