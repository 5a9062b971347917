// The API server of another version of Kubernetes than the one of tests/harness/controlplane, with an etcd in the same
// process: `apiserver kube-apiserver FLAG...`. RUN_DIR names the directory for etcd's data; etcd takes free ports on
// loopback. Its configuration is a file, for the fields of the Go type have other names in each version.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

const keyFlag = "--service-account-signing-key-file="

const settings = `{"data-dir": %q, "log-level": "error", "unsafe-no-fsync": true,
"listen-client-urls": "http://127.0.0.1:0", "advertise-client-urls": "http://127.0.0.1:0",
"listen-peer-urls": "http://127.0.0.1:0", "initial-advertise-peer-urls": "http://127.0.0.1:0",
"initial-cluster": "default=http://127.0.0.1:0", "name": "default"}`

func startEtcd(dir string) (string, error) {
	file := filepath.Join(dir, "etcd.json")
	if err := os.WriteFile(file, fmt.Appendf(nil, settings, filepath.Join(dir, "etcd")), 0o600); err != nil {
		return "", err
	}
	config, err := embed.ConfigFromFile(file)
	if err != nil {
		return "", err
	}
	server, err := embed.StartEtcd(config)
	if err != nil {
		return "", err
	}
	select {
	case <-server.Server.ReadyNotify():
		return "http://" + server.Clients[0].Addr().String(), nil
	case <-time.After(30 * time.Second):
		return "", fmt.Errorf("not ready within 30 s")
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

func main() {
	if len(os.Args) < 2 || os.Args[1] != "kube-apiserver" {
		fmt.Fprintln(os.Stderr, "usage: apiserver kube-apiserver FLAG...")
		os.Exit(2)
	}
	for _, argument := range os.Args {
		if path, found := strings.CutPrefix(argument, keyFlag); found {
			if err := writeKey(path); err != nil {
				fmt.Fprintln(os.Stderr, "service account key:", err)
				os.Exit(1)
			}
		}
	}
	etcd, err := startEtcd(os.Getenv("RUN_DIR"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		os.Exit(1)
	}
	os.Args = append(append([]string{"kube-apiserver"}, os.Args[2:]...), "--etcd-servers="+etcd)
	os.Exit(cli.Run(app.NewAPIServerCommand()))
}
