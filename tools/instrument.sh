#!/bin/sh
# For go test -fuzz -toolexec: instruments this module's packages only. Go would
# instrument all that they import too, which takes the OpenAI client alone
# fifteen minutes to compile and makes the fuzzer chase its branches.
own=no
for word; do
	case $word in laurel | laurel/*) own=yes ;; esac
done
if [ $own = no ]; then
	left=$#
	while [ "$left" -gt 0 ]; do
		word=$1
		shift
		[ "$word" = -d=libfuzzer ] || set -- "$@" "$word"
		left=$((left - 1))
	done
fi
exec "$@"
