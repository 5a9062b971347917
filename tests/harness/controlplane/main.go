// A Kubernetes control plane for development and tests in one program: `controlplane kube-apiserver` runs etcd and the
// API server in one process, `controlplane kube-controller-manager` runs the controllers beside it.
//
// RUN_DIR names the directory for etcd's data. etcd takes whatever ports are free, unless ETCD_CLIENT_PORT and
// ETCD_PEER_PORT ask for certain ones, and listens on loopback only.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

const keyFlag = "--service-account-signing-key-file="

// loopback is the address of the port that an environment variable names; 0 lets the kernel choose one.
func loopback(variable string) (url.URL, error) {
	port := os.Getenv(variable)
	if port == "" {
		port = "0"
	}
	address, err := url.Parse("http://127.0.0.1:" + port)
	if err != nil {
		return url.URL{}, fmt.Errorf("%s: %w", variable, err)
	}
	return *address, nil
}

// startEtcd runs etcd within this process and returns the address it really listens on.
func startEtcd(dir string) (string, error) {
	client, err := loopback("ETCD_CLIENT_PORT")
	if err != nil {
		return "", err
	}
	peer, err := loopback("ETCD_PEER_PORT")
	if err != nil {
		return "", err
	}
	config := embed.NewConfig()
	config.Dir = filepath.Join(dir, "etcd")
	config.LogLevel = "error"
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	// The data need not survive a power failure.
	config.UnsafeNoFsync = true
	server, err := embed.StartEtcd(config)
	if err != nil {
		return "", fmt.Errorf("etcd: %w", err)
	}
	select {
	case <-server.Server.ReadyNotify():
		return "http://" + server.Clients[0].Addr().String(), nil
	case <-time.After(30 * time.Second):
		return "", errors.New("etcd: not ready within 30 s")
	}
}

// writeKey creates the key that signs service account tokens, which both processes need, unless it is there already.
func writeKey(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
}

// runAPIServer prepares what the API server expects to find and then is the API server.
func runAPIServer() (int, error) {
	for _, argument := range os.Args {
		if path, found := strings.CutPrefix(argument, keyFlag); found {
			if err := writeKey(path); err != nil {
				return 1, fmt.Errorf("service account key: %w", err)
			}
		}
	}
	etcd, err := startEtcd(os.Getenv("RUN_DIR"))
	if err != nil {
		return 1, err
	}
	os.Args = append(os.Args, "--etcd-servers="+etcd)
	return cli.Run(apiserver.NewAPIServerCommand()), nil
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: controlplane kube-apiserver|kube-controller-manager FLAG...")
		os.Exit(2)
	}
	name := os.Args[1]
	os.Args = append([]string{name}, os.Args[2:]...)
	switch name {
	case "kube-apiserver":
		code, err := runAPIServer()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(code)
	case "kube-controller-manager":
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	default:
		fmt.Fprintf(os.Stderr, "controlplane: no part is called %q\n", name)
		os.Exit(2)
	}
}
