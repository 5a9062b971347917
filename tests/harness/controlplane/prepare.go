package main

// What an API server expects to find: an etcd, and keys for tokens. tests/harness/apiserver has a link to this file.

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

const keyFlag = "--service-account-signing-key-file="

// settings is a file, for the fields of the Go type have other names in each version. The data need not survive a power
// failure.
const settings = `{"data-dir": %q, "log-level": "error", "unsafe-no-fsync": true,
"listen-client-urls": %[2]q, "advertise-client-urls": %[2]q,
"listen-peer-urls": %[3]q, "initial-advertise-peer-urls": %[3]q, "initial-cluster": "default=%[3]s", "name": "default"}`

// prepare does it for an API server with these arguments, and returns the argument that names the etcd.
func prepare(arguments []string) (string, error) {
	for _, argument := range arguments {
		if path, found := strings.CutPrefix(argument, keyFlag); found {
			if err := writeKey(path); err != nil {
				return "", fmt.Errorf("service account key: %w", err)
			}
		}
	}
	address, err := startEtcd(os.Getenv("RUN_DIR"))
	if err != nil {
		return "", fmt.Errorf("etcd: %w", err)
	}
	return "--etcd-servers=" + address, nil
}

// startEtcd runs etcd within this process and returns the address it really listens on.
func startEtcd(dir string) (string, error) {
	file := filepath.Join(dir, "etcd.json")
	client, peer := loopback("ETCD_CLIENT_PORT"), loopback("ETCD_PEER_PORT")
	if err := os.WriteFile(file, fmt.Appendf(nil, settings, filepath.Join(dir, "etcd"), client, peer), 0o600); err != nil {
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
		return "", errors.New("not ready within 30 s")
	}
}

// loopback is the address of the port that an environment variable names; without it the kernel chooses one.
func loopback(variable string) string {
	port := os.Getenv(variable)
	if port == "" {
		port = "0"
	}
	return "http://127.0.0.1:" + port
}

// writeKey creates a key, which both processes need, unless it is there already.
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
