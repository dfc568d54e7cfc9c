package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"laurel/data"
	"laurel/scoring"
)

// shardFlags are those of a command whose work several processes may share.
func shardFlags(cmd *cobra.Command, part *string, merge *bool) {
	cmd.Flags().StringVar(part, "shard", "", "do part i of n, i/n with i from 0; job takes both from the environment of a Kubernetes indexed Job or a SLURM array")
	cmd.Flags().BoolVar(merge, "merge", false, "make the output of the shards, once all are done")
}

// openShard is the shard that --shard means; one that comes from the environment
// is said.
func openShard(part string, log io.Writer) (data.Shard, error) {
	if part != "job" {
		shard, err := data.ParseShard(part)
		if err != nil {
			err = fmt.Errorf("--shard: %w", err)
		}
		return shard, err
	}
	shard, from, err := data.ShardOfJob(os.Getenv)
	if err != nil {
		return shard, fmt.Errorf("--shard job: %w", err)
	}
	fmt.Fprintf(log, "shard %v, by %s\n", shard, from)
	return shard, nil
}

// shardPath is where the scores of a shard are kept.
func shardPath(out string, shard data.Shard) string { return out + "." + shard.Name() }

// runShard scores one shard of several.
func (s *scoreRun) runShard(ctx context.Context, table *data.Table) error {
	shard, err := openShard(s.part, s.log)
	if err != nil {
		return err
	}
	if err := claimFolder(filepath.Dir(s.out)); err != nil {
		return err
	}
	path, err := s.scoreShard(ctx, table, shard)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.log, "shard %v is scored: %s\nwhen all %d are: laurel score --merge --data %s --out %s\n", shard, path, shard.Of, s.file, s.out)
	return err
}

// mergeShards writes the output of shards that are all there.
func (s *scoreRun) mergeShards(table *data.Table) error {
	if err := s.claimOutputs(); err != nil {
		return err
	}
	paths := s.shards
	if len(paths) == 0 {
		var err error
		if paths, err = filesBeside(s.out, ".shard-*-of-*"); err != nil {
			return err
		}
	}
	shards, err := scoring.OpenShards(paths)
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	if err := shards.Fits(table); err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	fmt.Fprintf(s.log, "merging %d shards, which may be removed afterwards\n", len(paths))
	return s.write(shards, table)
}

// filesBeside are those whose names are that of a path and then match a pattern.
func filesBeside(path, pattern string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	var found []string
	for _, entry := range entries {
		name := entry.Name()
		base := filepath.Base(path)
		if len(name) <= len(base) || name[:len(base)] != base {
			continue
		}
		if match, err := filepath.Match(pattern, name[len(base):]); err == nil && match {
			found = append(found, filepath.Join(filepath.Dir(path), name))
		}
	}
	return found, nil
}
