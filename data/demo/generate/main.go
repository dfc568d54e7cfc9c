// Command generate writes the demo's data and prints how far
// always-longer, always-shorter and the best keyword get on them.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"laurel/data/demo"
)

func main() {
	if err := generate(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func generate(out io.Writer, args []string) error {
	flags := flag.NewFlagSet("generate", flag.ContinueOnError)
	folder := flags.String("out", "data/demo", "folder to write the files to")
	seed := flags.Uint64("seed", demo.Seed, "seed of everything drawn")
	onlyPrint := flags.Bool("n", false, "print the shortcuts' accuracies, write nothing")
	if err := flags.Parse(args); err != nil {
		return err
	}
	set, err := demo.Generate(*seed)
	if err != nil {
		return err
	}
	for _, part := range set.Parts() {
		fmt.Fprintf(out, "%-17s %v\n", part.File, demo.Shortcuts(part.Pairs))
	}
	fmt.Fprintf(out, "unlabelled.jsonl  %4d comparisons\n", len(set.Unlabelled))
	if *onlyPrint {
		return nil
	}
	return set.Write(*folder)
}
