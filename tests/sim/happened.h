/* tests/sim/happened.h -- what a run of seeds has to have met: every kind of fault and of answer, counted.
 * A row that stays 0 over a whole run fails it, for then nothing was proved about it. */
#ifndef TC_TESTS_SIM_HAPPENED_H
#define TC_TESTS_SIM_HAPPENED_H

#include <stdint.h>

/* X(field, what) */
#define SIM_HAPPENED(X)                                                                                      \
    /* the network: io_sim.h's own counts */                                                                 \
    X(shorts, "sends cut short")                                                                             \
    X(fulls, "sends refused")                                                                                \
    X(rooms, "room freed between two sends of one submission")                                               \
    X(resets, "connections reset by the network")                                                            \
    X(reorders, "completions out of order")                                                                  \
    X(earlies, "completions met while sending")                                                              \
    X(queues, "completion queues full")                                                                      \
    X(accept_errors, "accepts refused with EMFILE")                                                          \
    X(no_buffers, "receives without a buffer")                                                               \
    X(half_opens, "half-open peers")                                                                         \
    X(spurious, "told of room that there is not")                                                            \
    X(stale, "events of a connection that is gone")                                                          \
    X(buffers_used_up, "times the receive buffers were used up")                                             \
    /* peers that go, by where they stood, by reset or by end of file */                                     \
    X(gone_handshake, "peers gone in the handshake")                                                         \
    X(gone_snapshot, "peers gone between pieces of a snapshot")                                              \
    X(gone_frame, "peers gone inside a frame")                                                               \
    X(gone_closing, "peers gone inside the closing handshake")                                               \
    X(gone_open, "peers gone at another time")                                                               \
    X(gone_reset, "peers gone with a reset")                                                                 \
    X(gone_fin, "peers gone with an end of file")                                                            \
    /* time */                                                                                               \
    X(pauses, "workers descheduled for long")                                                                \
    X(lapped, "workers lapped by the log")                                                                   \
    X(wall_jumps, "jumps of the wall clock")                                                                 \
    X(sleeps, "sleeps that a timer, the network or the log ended")                                           \
    /* memory and limits */                                                                                  \
    X(rests_used_up, "connections reset because the memory for rests was used up")                           \
    X(stampedes, "visits at which at least four fell behind")                                                \
    X(refused, "connections refused with 503")                                                               \
    X(timeouts, "connections closed by a timer")                                                             \
    X(messages_late, "messages begun and not finished in time")                                              \
    /* the stream */                                                                                         \
    X(ticks, "ticks checked")                                                                                \
    X(conflated, "ticks conflated")                                                                          \
    X(gaps_overrun, "gaps: overrun")                                                                         \
    X(gaps_policy, "gaps: policy")                                                                           \
    X(gaps_resume, "gaps: resume")                                                                           \
    X(lags, "lag notices")                                                                                   \
    X(lags_over, "lag notices with behind 0")                                                                \
    X(heartbeats, "heartbeats")                                                                              \
    X(covered, "covered notices")                                                                            \
    X(rejoined, "members back in step")                                                                      \
    X(snapshots, "whole snapshots")                                                                          \
    X(snapshots_since, "snapshots after a gap")                                                              \
    X(snapshots_minus, "snapshots of what is new")                                                           \
    X(snapshot_pieces, "pieces of a snapshot with more to come")                                             \
    X(feed_resets, "feeds reset")                                                                            \
    X(feed_losses, "losses told by a feed")                                                                  \
    /* encodings: what of the above was met in them too */                                                   \
    X(bin_messages, "messages in binary")                                                                    \
    X(bin_definitions, "binary messages of nothing but definitions")                                         \
    X(packed_messages, "messages packed")                                                                    \
    X(packed_binary, "messages packed and binary")                                                           \
    X(packed_commands, "commands packed")                                                                    \
    X(gone_frame_bin, "peers gone inside a frame, binary")                                                   \
    X(gone_frame_deflate, "peers gone inside a frame, of a packed stream")                                   \
    X(gaps_bin, "gaps, binary")                                                                              \
    X(gaps_deflate, "gaps, of a packed stream")                                                              \
    X(snapshot_pieces_bin, "pieces of a snapshot with more to come, binary")                                 \
    X(snapshot_pieces_deflate, "pieces of a snapshot with more to come, of a packed stream")                 \
    X(conflated_bin, "ticks conflated, binary")                                                              \
    X(conflated_deflate, "ticks conflated, of a packed stream")                                              \
    X(slow_bin, "lag notices, binary")                                                                       \
    X(slow_deflate, "lag notices, of a packed stream")                                                       \
    /* commands */                                                                                           \
    X(resumes, "resumes that were met")                                                                      \
    X(resumes_ahead, "resumes ahead of the head")                                                            \
    X(resumes_foreign, "resumes from another epoch")                                                         \
    X(subscribes, "subscribes answered")                                                                     \
    X(unsubscribes, "unsubscribes answered")                                                                 \
    X(pongs, "pongs")                                                                                        \
    X(policy_changes, "changes of policy")                                                                   \
    X(rate_changes, "changes of rate")                                                                       \
    X(frame_changes, "changes of framing")                                                                   \
    X(errors, "commands refused with an error")                                                              \
    X(too_many, "commands refused with too_many")                                                            \
    X(pings, "pings of the server")                                                                          \
    /* ends */                                                                                               \
    X(drains, "drains")                                                                                      \
    X(restarts, "processes killed and started anew")                                                         \
    X(closed_1000, "closed with 1000")                                                                       \
    X(closed_1001, "closed with 1001")                                                                       \
    X(closed_1002, "closed with 1002")                                                                       \
    X(closed_1008, "closed with 1008")                                                                       \
    X(closed_1012, "closed with 1012")                                                                       \
    X(closed_4000, "closed with 4000")                                                                       \
    X(let_go, "subscribers that a waiting feed let go")                                                      \
    X(two_workers, "seeds with two workers")

#define HAPPENED_FIELD(field, what) uint64_t field;
struct happened {
    SIM_HAPPENED(HAPPENED_FIELD)
};
#undef HAPPENED_FIELD

#endif
