package main

import (
	"fmt"
	"os"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// template is what the prices depend on in template.yaml.
type template struct {
	memory map[string]int // of each function, in MB
	polled []polled
	alarms int
}

// polled is a queue that a function reads.
type polled struct {
	fifo   bool
	capped bool // has a maximum of concurrent runs
}

// resource is the part of one that matters here.
type resource struct {
	Type       string `yaml:"Type"`
	Properties struct {
		FifoQueue  bool                   `yaml:"FifoQueue"`
		CodeUri    string                 `yaml:"CodeUri"`
		MemorySize int                    `yaml:"MemorySize"`
		Events     map[string]eventSource `yaml:"Events"`
	} `yaml:"Properties"`
}

type eventSource struct {
	Type       string `yaml:"Type"`
	Properties struct {
		Queue         string    `yaml:"Queue"` // of !GetAtt
		ScalingConfig yaml.Node `yaml:"ScalingConfig"`
	} `yaml:"Properties"`
}

func readTemplate(name string) (template, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return template{}, fmt.Errorf("run it in the repository: %w", err)
	}
	var file struct {
		Globals struct {
			Function struct {
				MemorySize int `yaml:"MemorySize"`
			} `yaml:"Function"`
		} `yaml:"Globals"`
		Resources map[string]resource `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return template{}, fmt.Errorf("read %s: %w", name, err)
	}
	t := template{memory: map[string]int{}}
	for _, r := range file.Resources {
		switch r.Type {
		case "AWS::CloudWatch::Alarm":
			t.alarms++
		case "AWS::Serverless::Function":
			t.memory[path.Base(r.Properties.CodeUri)] = max(r.Properties.MemorySize, file.Globals.Function.MemorySize)
			for _, e := range r.Properties.Events {
				if e.Type == "SQS" {
					queue := file.Resources[strings.TrimSuffix(e.Properties.Queue, ".Arn")]
					t.polled = append(t.polled, polled{queue.Properties.FifoQueue, !e.Properties.ScalingConfig.IsZero()})
				}
			}
		}
	}
	return t, nil
}
