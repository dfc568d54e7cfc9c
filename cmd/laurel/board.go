package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/spf13/cobra"

	"laurel/board"
	"laurel/eval/stats"
	"laurel/model"
	"laurel/scoring"
)

func boardCommand() *cobra.Command {
	b := boarding{}
	cmd := &cobra.Command{
		Use:   "board --dir RUNS",
		Short: "Show training runs on a local page: state, live curves, responses scored as they are typed",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "dir"); err != nil {
				return err
			}
			b.out = cmd.OutOrStdout()
			return b.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&b.dir, "dir", "", "folder with run directories, at any depth up to 4")
	b.address.flags(cmd)
	flags.StringVar(&b.backend, "backend", "auto", "of the model that typed texts are scored with: auto, cuda, cpu, go or xla:/path/plugin.so")
	return cmd
}

// boarding is one run of the command.
type boarding struct {
	dir, backend string
	address      siteAddress
	out          io.Writer
}

func (b *boarding) run(ctx context.Context) (err error) {
	runs, err := board.Open(b.dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "%s: %s\n", b.dir, stats.Plural(len(runs.Runs()), "run"))
	scorers := board.NewScorers(b.opener())
	defer func() { err = errors.Join(err, scorers.Close()) }()
	server := board.Server{Board: runs, Scorers: scorers}
	handler, err := server.Handler()
	if err != nil {
		return err
	}
	site, err := b.address.open("look", b.out)
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() { runs.Watch(watching) })
	err = site.Serve(ctx, handler)
	stop()
	watcher.Wait()
	return err
}

// opener opens models on a backend that is started when first asked for.
func (b *boarding) opener() func(ctx context.Context, dir string) (*scoring.Scorer, error) {
	start := sync.OnceValues(func() (model.Backend, error) {
		backend, _, err := openBackend(b.backend, b.out)
		return backend, err
	})
	return func(ctx context.Context, dir string) (*scoring.Scorer, error) {
		backend, err := start()
		if err != nil {
			return nil, err
		}
		return openScorer(ctx, dir, "main", 0, backend, 1, b.out)
	}
}
