package serve

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what /metrics shows, in a registry of the server's own.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec   // dialect, code
	seconds   *prometheus.HistogramVec // dialect
	texts     *prometheus.CounterVec   // model
	tokens    *prometheus.CounterVec   // model
	truncated *prometheus.CounterVec   // model
	batches   *prometheus.HistogramVec // model, length: seconds
	fill      *prometheus.HistogramVec // model: texts of a batch over its rows
	padding   *prometheus.CounterVec   // model: ids computed that are no text's
	reloads   *prometheus.CounterVec   // result
}

func newMetrics(waiting func() map[string]int) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "laurel", Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "laurel", Name: name, Help: help, Buckets: buckets}, labels)
	}
	m := &metrics{
		registry:  prometheus.NewRegistry(),
		requests:  counter("requests_total", "Requests answered, by dialect and status code (499: the client went away).", "dialect", "code"),
		seconds:   histogram("request_seconds", "Time from a request's headers to its answer.", prometheus.ExponentialBuckets(0.001, 2, 18), "dialect"),
		texts:     counter("texts_total", "Texts scored.", "model"),
		tokens:    counter("tokens_total", "Tokens of the texts scored, after cutting.", "model"),
		truncated: counter("truncated_texts_total", "Texts cut to max_length.", "model"),
		batches:   histogram("batch_seconds", "Time a batch was computed, by the length of its rows.", prometheus.ExponentialBuckets(0.0005, 2, 18), "model", "length"),
		fill:      histogram("batch_fill", "What the texts of a batch take of its room.", prometheus.LinearBuckets(0.1, 0.1, 10), "model"),
		padding:   counter("padding_tokens_total", "Tokens computed that were no text's.", "model"),
		reloads:   counter("reloads_total", "Models loaded anew while serving, by result.", "result"),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.texts, m.tokens, m.truncated, m.batches, m.fill, m.padding, m.reloads,
		queueCollector{waiting}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *metrics) request(dialect string, code int, took time.Duration) {
	m.requests.WithLabelValues(dialect, strconv.Itoa(code)).Inc()
	m.seconds.WithLabelValues(dialect).Observe(took.Seconds())
}

func (m *metrics) batch(model string, b batchSeen) {
	m.batches.WithLabelValues(model, strconv.Itoa(b.place.Length)).Observe(b.took.Seconds())
	m.fill.WithLabelValues(model).Observe(float64(b.takes) / float64(b.place.Room))
	m.padding.WithLabelValues(model).Add(float64(b.place.Room - b.ids))
}

func (m *metrics) reload(err error) {
	result := "ok"
	if err != nil {
		result = "failed"
	}
	m.reloads.WithLabelValues(result).Inc()
}

// queueCollector reads how many texts wait when it is asked.
type queueCollector struct{ waiting func() map[string]int }

var queueDesc = prometheus.NewDesc("laurel_queue_texts", "Texts that wait for their batch.", []string{"model"}, nil)

func (q queueCollector) Describe(to chan<- *prometheus.Desc) { to <- queueDesc }

func (q queueCollector) Collect(to chan<- prometheus.Metric) {
	for model, n := range q.waiting() {
		to <- prometheus.MustNewConstMetric(queueDesc, prometheus.GaugeValue, float64(n), model)
	}
}
