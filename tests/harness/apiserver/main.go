// The API server of another version of Kubernetes than the one of tests/harness/controlplane, with an etcd in the same
// process: `apiserver kube-apiserver FLAG...`. RUN_DIR names the directory for etcd's data; etcd takes free ports on
// loopback.
package main

import (
	"fmt"
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	if len(os.Args) < 2 || os.Args[1] != "kube-apiserver" {
		fmt.Fprintln(os.Stderr, "usage: apiserver kube-apiserver FLAG...")
		os.Exit(2)
	}
	etcd, err := prepare(os.Args)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Args = append(append([]string{"kube-apiserver"}, os.Args[2:]...), etcd)
	os.Exit(cli.Run(app.NewAPIServerCommand()))
}
