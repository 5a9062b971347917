// kstatus answers JSON objects, one a line, with their status as Flux sees it: by the kstatus library, or by the CEL
// expressions of a healthCheckExprs where they are given.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type answer struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

type judge func(*unstructured.Unstructured) (answer, error)

func main() {
	failed, current := flag.String("failed", "", "CEL"), flag.String("current", "", "CEL")
	flag.Parse()
	how := library
	var err error
	if *current != "" {
		how, err = expressions(*failed, *current)
	}
	if err == nil {
		err = run(os.Stdin, os.Stdout, how)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kstatus:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, how judge) error {
	lines, answers := bufio.NewReader(in), json.NewEncoder(out)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		// Its own decoder: integers as int64, which the library insists on.
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(line); err != nil {
			return err
		}
		found, err := how(object)
		if err != nil {
			return err
		}
		if err := answers.Encode(found); err != nil {
			return err
		}
	}
}

func library(object *unstructured.Unstructured) (answer, error) {
	found, err := status.Compute(object)
	if err != nil {
		return answer{}, err
	}
	return answer{Status: found.Status.String(), Message: found.Message}, nil
}

// expressions judges as Flux does by its RFC 0009: the generation first, then each expression over the object's fields,
// which are not type-checked before.
func expressions(failed, current string) (judge, error) {
	env, err := cel.NewEnv()
	if err != nil {
		return nil, err
	}
	programs := map[status.Status]cel.Program{}
	for word, text := range map[status.Status]string{status.FailedStatus: failed, status.CurrentStatus: current} {
		ast, issues := env.Parse(text)
		if issues.Err() != nil {
			return nil, issues.Err()
		}
		if programs[word], err = env.Program(ast); err != nil {
			return nil, err
		}
	}
	return func(object *unstructured.Unstructured) (answer, error) {
		observed, found, err := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
		if err != nil || found && observed != object.GetGeneration() {
			return answer{Status: status.InProgressStatus.String()}, err
		}
		for _, word := range []status.Status{status.FailedStatus, status.CurrentStatus} {
			value, _, err := programs[word].Eval(object.Object)
			if err != nil {
				return answer{}, err
			}
			if value.Value() == true {
				return answer{Status: word.String()}, nil
			}
		}
		return answer{Status: status.InProgressStatus.String()}, nil
	}, nil
}
