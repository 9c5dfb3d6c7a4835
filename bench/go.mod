module wardwatch/bench

go 1.26.0

require wardwatch v0.0.0

require github.com/cespare/xxhash/v2 v2.3.0 // indirect

require (
	github.com/valyala/fastjson v1.6.10
	go.yaml.in/yaml/v3 v3.0.6 // indirect
)

replace wardwatch => ../
