/** @file osdear.h Everything: one include for the whole library. */
#ifndef OSDEAR_H
#define OSDEAR_H

#include <osdear/base.h>
#include <osdear/error.h>
#include <osdear/cancel.h>
#include <osdear/context.h>
#include <osdear/store.h>
#include <osdear/arrow.h>
#include <osdear/schema.h>
#include <osdear/stream.h>
#include <osdear/snapshot.h>
#include <osdear/scan.h>
#include <osdear/table.h>
#include <osdear/changes.h>
#include <osdear/transaction.h>
#include <osdear/source.h>
#include <osdear/sink.h>
#include <osdear/engine.h>
#include <osdear/container.h>
#include <osdear/stack.h>
#include <osdear/job.h>
#include <osdear/runner.h>
#include <osdear/follower.h>

#endif
