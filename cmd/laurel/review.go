package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"laurel/configs"
	"laurel/data"
	"laurel/eval/stats"
	"laurel/labels"
	"laurel/localweb"
	"laurel/review"
)

func reviewCommand() *cobra.Command {
	r := reviewing{}
	cmd := &cobra.Command{
		Use:   "review --data FILE",
		Short: "Let people answer the least certain comparisons, blind, on a local page",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "data"); err != nil {
				return err
			}
			if r.annotator != "" {
				if err := review.CheckName(r.annotator); err != nil {
					return usage(cmd, fmt.Errorf("--annotator: %w", err))
				}
			}
			if err := endsIn(cmd, "out", r.config.Out, ".jsonl"); err != nil {
				return err
			}
			r.out = cmd.OutOrStdout()
			return r.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&r.data, "data", "", "comparisons that laurel label --review-out wrote (CSV, Parquet, JSON lines)")
	flags.StringVar(&r.annotator, "annotator", "", "whose answers these are (default: the page asks)")
	flags.StringVar(&r.config.Out, "out", "answers.jsonl", "file of answers, which laurel merge takes; the same command goes on with it")
	flags.StringArrayVar(&r.config.Others, "others", nil, "answers of people in another file, counted in the agreement; several times for several files")
	flags.StringVar(&r.constitution, "constitution", "", "shipped name or file: its principles are offered for reasons")
	flags.Uint64Var(&r.config.Seed, "seed", 42, "of each person's order, and of which response is on the left")
	r.address.flags(cmd)
	flags.StringToStringVar(&r.columns, "columns", nil, "field=column where the names of --data differ")
	flags.StringVar(&r.onBadRow, "on-bad-row", "fail", "fail or skip, for rows of --data")
	return cmd
}

// siteAddress is where pages are for the person who starts the command.
type siteAddress struct {
	addr   string
	remote bool
}

func (a *siteAddress) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.addr, "addr", "127.0.0.1:0", "address and port to listen on; port 0 is one that is free")
	cmd.Flags().BoolVar(&a.remote, "allow-remote", false, "allow an --addr that other machines can reach, without encryption")
}

// open listens, and says where, what who has the address can do, and who else could.
func (a *siteAddress) open(can string, out io.Writer) (*localweb.Site, error) {
	site, err := localweb.Open(a.addr, a.remote)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "ready: %s (until Ctrl-C; who has this address can %s)\n", site.URL(), can)
	if warning := site.Warning(); warning != "" {
		fmt.Fprintln(out, warning)
	}
	return site, nil
}

// reviewing is one run of the command.
type reviewing struct {
	data, annotator, constitution, onBadRow string
	columns                                 map[string]string
	address                                 siteAddress
	config                                  review.Config
	out                                     io.Writer
}

func (r *reviewing) run(ctx context.Context) (err error) {
	server := review.Server{Annotator: r.annotator}
	if server.Principles, err = r.principles(); err != nil {
		return err
	}
	if err := apart(r.config.Out, r.data); err != nil {
		return err
	}
	rows, err := r.read()
	if err != nil {
		return err
	}
	if err := claimFolder(filepath.Dir(r.config.Out)); err != nil {
		return err
	}
	if server.Book, err = review.Open(rows, r.config); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Book.Close()) }()
	r.tell(server.Book, len(rows))
	handler, err := server.Handler()
	if err != nil {
		return err
	}
	site, err := r.address.open("answer", r.out)
	if err != nil {
		return err
	}
	if err := site.Serve(ctx, handler); err != nil {
		return err
	}
	return r.end(server.Book)
}

func (r *reviewing) read() ([]labels.Review, error) {
	rows, answered, counts, err := labels.ReadReview(r.data, data.ReadConfig{Columns: r.columns, OnBadRow: r.onBadRow})
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(r.out, "%s: %s\n", r.data, &counts)
	if answered > 0 {
		fmt.Fprintf(r.out, "warning: %s of %s hold an answer already: these are asked too, and what the rows hold is not counted here; give laurel merge both files\n", stats.Plural(answered, "row"), r.data)
	}
	return rows, nil
}

func (r *reviewing) principles() ([]review.Principle, error) {
	if r.constitution == "" {
		return nil, nil
	}
	c, err := configs.Constitution(r.constitution)
	if err != nil {
		return nil, err
	}
	var out []review.Principle
	for _, p := range c.Principles {
		out = append(out, review.Principle{Name: p.Name, Text: cmp.Or(p.Comparison, p.Critique)})
	}
	return out, nil
}

// tell says what the file of answers holds.
func (r *reviewing) tell(b *review.Book, comparisons int) {
	if b.Repaired != "" {
		fmt.Fprintf(r.out, "repaired: %s\n", b.Repaired)
	}
	for _, p := range b.Annotators() {
		fmt.Fprintf(r.out, "%s: %s has answered %d of %d, skipped %d\n", r.config.Out, p.Name, p.Answered, comparisons, p.Skipped)
	}
}

// end prints what came of it.
func (r *reviewing) end(b *review.Book) error {
	agreement := b.Agreement()
	fmt.Fprintln(r.out)
	if err := agreement.Print(r.out); err != nil {
		return err
	}
	if agreement.Answered == 0 {
		_, err := fmt.Fprintln(r.out, "the same command goes on")
		return err
	}
	_, err := fmt.Fprintf(r.out, "answers %s: the same command goes on, and laurel merge LABELS %s --out DIR takes them\n", r.config.Out, r.config.Out)
	return err
}
