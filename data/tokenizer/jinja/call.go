package jinja

import "slices"

// call takes the arguments of a method, filter or test one after another, by
// place or by name, as their Python declaration has them.
type call struct {
	run   *run
	name  string
	args  []Value
	named *Dict
}

// take is the next argument; ok is false where it is not given.
func (c *call) take(name string) (v Value, ok bool) {
	if len(c.args) > 0 {
		v, c.args = c.args[0], c.args[1:]
		if _, twice := c.named.Get(name); twice && name != "" {
			c.run.fail("%s got multiple values for argument '%s'", c.name, name)
		}
		return v, true
	}
	if name == "" {
		return nil, false
	}
	if v, ok = c.named.Get(name); ok {
		c.named = c.named.copied()
		c.named.remove(name)
	}
	return v, ok
}

// optional is an argument with a value where it is not given.
func (c *call) optional(name string, otherwise Value) Value {
	if v, ok := c.take(name); ok {
		return v
	}
	return otherwise
}

// required is an argument that must be given.
func (c *call) required(name string) Value {
	v, ok := c.take(name)
	if !ok {
		c.run.fail("%s is missing the argument '%s'", c.name, name)
	}
	return v
}

// positional is one that must be given by its place.
func (c *call) positional(name string) Value {
	if len(c.args) == 0 {
		c.run.fail("%s is missing the argument '%s'", c.name, name)
	}
	v := c.args[0]
	c.args = c.args[1:]
	return v
}

// text is an argument that must be a str.
func (c *call) text(v Value) string {
	text, ok := v.(string)
	if !ok {
		c.run.defined(v)
		if _, marked := v.(*markup); marked {
			c.run.fail("%s of text marked safe is not supported here", c.name)
		}
		c.run.fail("%s: expected str, got %s", c.name, typeName(v))
	}
	return text
}

// integer is an argument that must be an int.
func (c *call) integer(v Value) int {
	c.run.defined(v)
	n, ok := small(v)
	if !ok {
		c.run.fail("%s: '%s' object cannot be interpreted as an integer", c.name, typeName(v))
	}
	return int(n)
}

// done fails on arguments that nothing has taken.
func (c *call) done() {
	if len(c.args) > 0 {
		c.run.fail("%s takes fewer arguments: %d too many", c.name, len(c.args))
	}
	if keys := c.named.Keys(); len(keys) > 0 {
		c.run.fail("%s got an unexpected keyword argument '%s'", c.name, slices.Min(keys))
	}
}
