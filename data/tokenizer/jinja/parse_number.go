package jinja

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

var underscored = regexp.MustCompile(`^[+-]?[0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*$`)

// parseInt is int(text, base).
func parseInt(text string, base int) (*big.Int, bool) {
	text = asciiDigits(strings.TrimFunc(text, isSpace))
	if !underscored.MatchString(text) || base != 0 && (base < 2 || base > 36) || len(text) > 4300 {
		return nil, false
	}
	text = strings.ReplaceAll(text, "_", "")
	sign := strings.TrimRight(text[:1], "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	digits := strings.ToLower(text[len(sign):])
	for prefix, of := range map[string]int{"0x": 16, "0o": 8, "0b": 2} {
		if strings.HasPrefix(digits, prefix) && (base == of || base == 0) {
			digits, base = digits[2:], of
			break
		}
	}
	if base == 0 {
		if strings.TrimLeft(digits, "0") != digits && strings.Trim(digits, "0") != "" {
			return nil, false // 010
		}
		base = 10
	}
	return new(big.Int).SetString(sign+digits, base)
}

var floatForm = regexp.MustCompile(`^(?i)[+-]?(?:(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?|inf|infinity|nan)$`)

// asciiDigits writes decimal digits of all scripts, which int and float take, as 0
// to 9. Each script's ten stand in a row; the mathematical ones, in five rows.
func asciiDigits(text string) string {
	return strings.Map(func(c rune) rune {
		if c < 0x80 || !unicode.IsDigit(c) {
			return c
		}
		if c >= 0x1d7ce && c <= 0x1d7ff {
			return '0' + (c-0x1d7ce)%10
		}
		zero := c
		for unicode.IsDigit(zero-1) && c-zero < 9 {
			zero--
		}
		return '0' + c - zero
	}, text)
}

// parseFloat is float(text).
func parseFloat(text string) (float64, bool) {
	text = asciiDigits(strings.TrimFunc(text, isSpace))
	if !floatForm.MatchString(text) {
		return 0, false
	}
	if strings.EqualFold(strings.TrimLeft(text, "+-"), "nan") {
		return math.NaN(), true
	}
	x, _ := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64) // out of range is an infinity, as Python's
	return x, true
}
