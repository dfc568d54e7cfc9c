//go:build !laurelxla

package main

const changedXLA = false
