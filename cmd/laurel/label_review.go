package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"laurel/feedback"
	"laurel/labels"
)

// checkReview refuses, before anything is asked, a review file that cannot be
// written or that people have begun to fill in.
func (l *labelling) checkReview() error {
	if l.reviewFile == "" {
		return nil
	}
	files, err := labels.ReviewFiles(l.reviewFile)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := apart(file, append(slices.Clone(l.files), l.goldFile)...); err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Dir(file)); err != nil {
			return fmt.Errorf("--review-out: %w: make the folder first", err)
		}
	}
	return checkUnanswered("--review-out", l.reviewFile)
}

// checkUnanswered refuses to write over a review file, as labels.ReviewFiles names
// them, that people have begun to fill in.
func checkUnanswered(flag, path string) error {
	files, err := labels.ReviewFiles(path)
	if err != nil {
		return err
	}
	for _, file := range files {
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
			continue
		}
		n, err := labels.AnswersIn(file)
		if err != nil {
			return fmt.Errorf("%s would write over %s: %w", flag, file, err)
		}
		if n > 0 {
			return fmt.Errorf("%s would write over %d answers in %s: merge them first, or name another file", flag, n, file)
		}
	}
	return nil
}

// review writes the comparisons that people should look at.
func (l *labelling) review() error {
	if l.reviewFile == "" {
		return nil
	}
	rows, s, err := feedback.Review(labels.ReadLabels(l.dir), l.reviewFraction, l.config.Seed)
	if err != nil {
		return err
	}
	if err := labels.WriteReview(l.reviewFile, rows); err != nil {
		return err
	}
	files, err := labels.ReviewFiles(l.reviewFile)
	if err != nil {
		return err
	}
	fmt.Fprintf(l.log, "for people: %d of %d comparisons (%d on which judges name different sides, %d without a verdict; none of %d with identical responses and %d without an answer): %s\n",
		s.Selected, s.Comparisons, s.Disputed, s.Abstained, s.Identical, s.Unanswered, strings.Join(files, ", "))
	l.forPeople = s.Selected
	long := 0
	for _, r := range rows {
		if r.Longest() > labels.LongestCell {
			long++
		}
	}
	if long > 0 {
		fmt.Fprintf(l.log, "warning: %d of them have a text over %d characters, which spreadsheets cut: laurel merge will refuse them; use the Parquet file for these\n", long, labels.LongestCell)
	}
	return nil
}
