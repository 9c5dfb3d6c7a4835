// Package senders holds the program as it ships against the senders that hospitals have: rsyslog, syslog-ng and logger.
package senders
