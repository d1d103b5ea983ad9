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
	queues []bool         // those that a function polls: whether each is FIFO
	alarms int
}

// deployedFunction is the part of an AWS::Serverless::Function that matters here.
type deployedFunction struct {
	CodeUri    string
	MemorySize int
	Events     map[string]struct {
		Type string `yaml:"Type"`
	}
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
		Resources map[string]struct {
			Type       string    `yaml:"Type"`
			Properties yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return template{}, fmt.Errorf("read %s: %w", name, err)
	}
	t := template{memory: map[string]int{}}
	for id, r := range file.Resources {
		switch r.Type {
		case "AWS::CloudWatch::Alarm":
			t.alarms++
		case "AWS::Serverless::Function":
			f := deployedFunction{MemorySize: file.Globals.Function.MemorySize}
			if err := decode(&r.Properties, &f); err != nil {
				return template{}, fmt.Errorf("read %s of %s: %w", id, name, err)
			}
			function := path.Base(f.CodeUri)
			t.memory[function] = f.MemorySize
			for _, e := range f.Events {
				if e.Type == "SQS" {
					t.queues = append(t.queues, function != "media") // the only one without order
				}
			}
		}
	}
	return t, nil
}

// decode reads the three properties; the others hold CloudFormation's own tags.
func decode(properties *yaml.Node, f *deployedFunction) error {
	for i := 0; i+1 < len(properties.Content); i += 2 {
		var into any
		switch key := properties.Content[i].Value; key {
		case "CodeUri":
			into = &f.CodeUri
		case "MemorySize":
			into = &f.MemorySize
		case "Events":
			into = &f.Events
		default:
			continue
		}
		if err := properties.Content[i+1].Decode(into); err != nil {
			return err
		}
	}
	f.CodeUri = strings.TrimSuffix(f.CodeUri, "/")
	return nil
}
