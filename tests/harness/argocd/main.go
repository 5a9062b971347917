// The parts of Argo CD that sync, judge and act, and the redis they talk through, in one program: `argocd repo-server`,
// `argocd application-controller`, `argocd server`, each with the flags of Argo CD's own program, and `argocd redis ADDRESS`.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/alicebob/miniredis/v2"
	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	server "github.com/argoproj/argo-cd/v3/cmd/argocd-server/commands"
	"github.com/spf13/cobra"
)

// runRedis serves for ever. Nothing expires by itself there: its clock has to be moved on.
func runRedis(address string) error {
	redis := miniredis.NewMiniRedis()
	if err := redis.StartAddr(address); err != nil {
		return err
	}
	for range time.Tick(time.Second) {
		redis.FastForward(time.Second)
	}
	return nil
}

func run(name string, arguments []string) error {
	commands := map[string]func() *cobra.Command{
		"application-controller": controller.NewCommand, "repo-server": reposerver.NewCommand, "server": server.NewCommand,
	}
	if name == "redis" && len(arguments) == 1 {
		return runRedis(arguments[0])
	}
	make, found := commands[name]
	if !found {
		return fmt.Errorf("usage: argocd application-controller|repo-server|server FLAG..., or argocd redis ADDRESS")
	}
	command := make()
	command.SetArgs(arguments)
	return command.Execute()
}

func main() {
	if len(os.Args) < 2 {
		os.Args = append(os.Args, "")
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
