// A Kubernetes control plane for development and tests in one program: `controlplane kube-apiserver` runs etcd and the
// API server in one process, `controlplane kube-controller-manager` runs the controllers beside it.
//
// RUN_DIR names the directory for etcd's data. etcd takes whatever ports are free, unless ETCD_CLIENT_PORT and
// ETCD_PEER_PORT ask for certain ones, and listens on loopback only.
package main

import (
	"fmt"
	"os"

	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: controlplane kube-apiserver|kube-controller-manager FLAG...")
		os.Exit(2)
	}
	name := os.Args[1]
	os.Args = append([]string{name}, os.Args[2:]...)
	switch name {
	case "kube-apiserver":
		etcd, err := prepare(os.Args)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Args = append(os.Args, etcd)
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	default:
		fmt.Fprintf(os.Stderr, "controlplane: no part is called %q\n", name)
		os.Exit(2)
	}
}
