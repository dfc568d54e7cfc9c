package plugins

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// The CUDA plugin of JAX 0.11.2 and one release (13.2 update 1) of the NVIDIA
// libraries that it loads, as one set: 2.2 GB to fetch, 4.5 GB on disk.
var cudaWheels = [...]wheel{
	{"jax-cuda13-pjrt", "0.11.2", "e5ff589d43064913bb74027682d89639c7ea48f9f81c2bae6fc75117e913f93e"},
	{"nvidia-cublas", "13.4.1.3", "a5917cb642cfb07f4a0231ee16aec7e2e0357d8cb8b1b78a0c9c68dba3e6afc7"},
	{"nvidia-cuda-cupti", "13.2.86", "8fa29f15dd8336181f961764d9d95236fc6b931dd0c8fcf8cd70aab0c310b586"},
	{"nvidia-cuda-nvcc", "13.2.86", "7d3f56c8d705bad35bbba69eb0470d90856fd5d4dc48c6a6173aaf1e9f887cf5"},
	{"nvidia-cuda-runtime", "13.2.86", "3498247680dfddce31bad102af7e3e26fc795342a3cac64722bb0fa95e7f60f0"},
	{"nvidia-cuda-nvrtc", "13.2.86", "8111c5130e967b78222ea2124145f8efe9ce201b752b2579a2513100a53be1c5"},
	{"nvidia-cudnn-cu13", "9.26.0.51", "9c976d539786698c71d6bcdbe2053b7485fae062ff7e1215d2f2ff67b1a2149a"},
	{"nvidia-cufft", "12.2.0.57", "34da27fadf3979b0b042c43823f0530be8408b86df31ee0108e1ca0b621d4ef6"},
	{"nvidia-cusolver", "12.2.0.11", "fab5778f6769947389a1a6abc07e635576825a08c0ffc68c3ae7f1392c794b42"},
	{"nvidia-cusparse", "12.7.10.12", "25907c75e4db1581685f06f61cc6cdecc04611765516a52373e0a18ebd69fa00"},
	{"nvidia-nccl-cu13", "2.30.7", "cefa7fdb9710efd0f39c5f1be1d61ff6fc9a996c451265bd7fbdcf9455ed4b50"},
	{"nvidia-nvjitlink", "13.2.86", "285a9cead9924391588d794400bdd7e8f9d1a277a7d78ed79acfa0ea702a14dd"},
	{"nvidia-nvshmem-cu13", "3.7.2", "b9a4f843c62b5dded8ad33fd6d220e007dcd39f06cee549292f5ba14ce4c235c"},
	{"nvidia-nvvm", "13.2.86", "a9244f3209922d655612c11ebb4117ea1f80983cb2b215c9cccded127282cebc"},
}

// FetchCUDA leaves in the plugin folder, where there is a GPU or force asks for
// it,
//
//	cuda/plugin/pjrt_c_api_cuda_plugin.so
//	cuda/nvidia/cu13/{lib,bin,nvvm}, nvidia/cudnn/lib, nvidia/nccl/lib
//	cuda/env
//
// The plugin finds the libraries through its RPATH $ORIGIN/../nvidia/…, as in
// Python's site-packages, so it must not be linked to from elsewhere.
func FetchCUDA(folder string, force bool, out io.Writer) error {
	if !force && !HasGPU() {
		fmt.Fprintln(out, "XLA CUDA plugin: no GPU found: left out (--cuda fetches it nevertheless)")
		return nil
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return fmt.Errorf("XLA CUDA plugin: %w: none is pinned for %s/%s", ErrNone, runtime.GOOS, runtime.GOARCH)
	}
	dir := filepath.Join(folder, "cuda")
	if stamped(dir, cudaStamp()) {
		fmt.Fprintf(out, "XLA CUDA plugin: already there: %s (%s)\n", filepath.Join(folder, cudaFile), cudaStamp())
		return nil
	}
	fmt.Fprintf(out, "XLA CUDA plugin: fetching %d wheels, 2.2 GB\n", len(cudaWheels))
	if err := fetchCUDA(dir, out); err != nil {
		return fmt.Errorf("XLA CUDA plugin: %w: %w", ErrNone, err)
	}
	fmt.Fprintf(out, "XLA CUDA plugin: %s: %s\n", cudaStamp(), filepath.Join(folder, cudaFile))
	return nil
}

// cudaStamp names the set by its plugin and a digest over all pins.
func cudaStamp() string {
	sum := sha256.New()
	for _, w := range cudaWheels {
		fmt.Fprintln(sum, w.stamp())
	}
	return fmt.Sprintf("%s %s set:%x", cudaWheels[0].name, cudaWheels[0].version, sum.Sum(nil)[:8])
}

func fetchCUDA(dir string, out io.Writer) error {
	for _, w := range cudaWheels {
		done := filepath.Join(dir, "wheels", w.name)
		if stamped(done, w.stamp()) {
			continue // by a run that was cut short
		}
		if err := fetchCUDAWheel(w, dir); err != nil {
			return err
		}
		if err := writeStamp(done, w.stamp()); err != nil {
			return err
		}
		fmt.Fprintf(out, "XLA CUDA plugin: %s %s\n", w.name, w.version)
	}
	if err := WriteFile(filepath.Join(dir, "env"), strings.NewReader(cudaEnv(dir)), 0o644); err != nil {
		return err
	}
	return writeStamp(dir, cudaStamp())
}

func fetchCUDAWheel(w wheel, dir string) error {
	file, err := w.fetch(dir)
	if err != nil {
		return err
	}
	defer os.Remove(file)
	_, err = extract(file, dir, placeCUDA)
	return err
}

// placeCUDA keeps the plugin and, of NVIDIA's wheels, what is loaded or run:
// no headers, no static libraries.
func placeCUDA(member string) string {
	switch {
	case path.Base(member) == "xla_cuda_plugin.so":
		return filepath.Join("plugin", "pjrt_c_api_cuda_plugin.so")
	case !strings.HasPrefix(member, "nvidia/"), strings.Contains(member, "/include/"), path.Ext(member) == ".a":
		return ""
	}
	return filepath.FromSlash(member)
}

// cudaEnv is what a process needs in its environment before it loads the
// plugin, one NAME=value a line. The loader reads LD_LIBRARY_PATH when a
// process starts, so that one asks for a new process.
func cudaEnv(dir string) string {
	nvidia := filepath.Join(dir, "nvidia")
	var libs []string
	for _, part := range []string{"cu13", "cudnn", "nccl", "nvshmem"} {
		libs = append(libs, filepath.Join(nvidia, part, "lib"))
	}
	return "LD_LIBRARY_PATH=" + strings.Join(libs, ":") + "\n" +
		"XLA_FLAGS=--xla_gpu_cuda_data_dir=" + filepath.Join(nvidia, "cu13") + "\n"
}
