// What XLA hands to a function of the host, and what that calls back: the part of
// its stable C interface that handlers need, as of version 0.3
// (openxla/xla, xla/ffi/api/c_api.h).
#ifndef LAUREL_HOSTKERNELS_FFI_H
#define LAUREL_HOSTKERNELS_FFI_H

#include <stddef.h>
#include <stdint.h>

typedef struct ffi_extension {
	size_t struct_size;
	int type;
	struct ffi_extension *next;
} ffi_extension;

enum { FFI_METADATA = 1 }; // type of an extension

typedef struct {
	size_t struct_size;
	ffi_extension *extensions;
	int major, minor;
} ffi_version;

typedef struct {
	size_t struct_size;
	ffi_version version;
	uint32_t traits;
	int64_t state_type;
} ffi_metadata;

typedef struct {
	ffi_extension base;
	ffi_metadata *metadata;
} ffi_metadata_extension;

enum { FFI_INVALID_ARGUMENT = 3, FFI_RESOURCE_EXHAUSTED = 8 };

typedef struct ffi_error ffi_error;

typedef struct {
	size_t struct_size;
	ffi_extension *extensions;
	const char *message;
	int code;
} ffi_error_create;

typedef struct {
	size_t struct_size;
	ffi_extension *extensions;
	ffi_error *error;
} ffi_error_destroy;

enum { FFI_S32 = 4, FFI_F32 = 11 };

typedef struct {
	size_t struct_size;
	ffi_extension *extensions;
	int dtype;
	void *data;
	int64_t rank;
	int64_t *dims;
} ffi_buffer;

typedef struct ffi_context ffi_context;

typedef struct {
	size_t struct_size;
	ffi_extension *extensions;
	ffi_context *context;
	void (*task)(void *);
	void *data;
} ffi_schedule;

typedef struct {
	size_t struct_size;
	ffi_extension *extensions;
	ffi_context *context;
	int64_t *threads;
} ffi_threads;

typedef struct {
	size_t struct_size;
	ffi_extension *extensions;
	ffi_version version;
	const void *internal;
	ffi_error *(*error_create)(ffi_error_create *);
	void *error_message;
	void (*error_destroy)(ffi_error_destroy *);
	void *handler_register, *stream, *type_register, *context_get, *state_set, *state_get, *allocate, *free;
	ffi_error *(*schedule)(ffi_schedule *);
	ffi_error *(*num_threads)(ffi_threads *);
} ffi_api;

typedef struct {
	size_t struct_size;
	ffi_extension *extensions;
	int64_t size;
	int *types;
	void **values;
} ffi_values;

enum { FFI_EXECUTE = 3 }; // stage of a call

typedef struct {
	size_t struct_size;
	ffi_extension *extensions;
	const ffi_api *api;
	ffi_context *context;
	int stage;
	ffi_values args, results;
} ffi_call;

#endif
