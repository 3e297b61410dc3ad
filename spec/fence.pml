/*
 * Two workers on one lane: a lease runs out while its worker is only slow, another takes the event, and
 * the first goes on where it was. Epochs fence the ledger, not the provider: what the slow one has sent
 * may still land. Nobody edits the resource, so the record must always say what the app said last.
 *
 * NL  local edits (each a value up or down)    NX  leases that run out
 *
 * NO_... takes one rule away.
 */
#ifndef NL
#define NL 1
#endif
#ifndef NX
#define NX 1
#endif

byte T;                       /* the resource */
byte R, said;                 /* the record; what the app said last */
bit ch;                       /* a change that was not drained */
byte B;                       /* base */
byte am;                      /* the attempt that is not settled: value + 1 */
byte un;                      /* values of attempts that nobody answered, a bit each */
byte epoch;
byte queued, running;          /* the outbound events, by number; 0 none */
byte born;                    /* how many events there were */
byte ended;                   /* which have ended, a bit each */
/* ---- the workers: 0 idle 1 claimed 2 looking 3 about to send 4 sent 5 answered ---- */
byte w[2], we[2], wi[2];      /* what each does, under which epoch, for which event */
byte wv[2], wg[2];            /* what it sends, what it saw */
byte nL = NL, nX = NX, k; bit fin, polled;

#define STATE printf("state: resource %d record %d base %d attempt %d un %d epoch %d queued %d running %d w %d:%d:%d %d:%d:%d\n", \
  T, R, B, am, un, epoch, queued, running, w[0], we[0], wi[0], w[1], we[1], wi[1])

/* Whether a worker still holds what it claimed. */
#if defined(NO_HOLD)
#define HOLDS(k) 1
#elif defined(NO_EPOCH)
#define HOLDS(k) (running == wi[k])
#else
#define HOLDS(k) (running == wi[k] && epoch == we[k])
#endif

inline end(k) {
  assert(!(ended & (1 << wi[k])));                                   /* an event ends once */
  ended = ended | (1 << wi[k]); running = 0
}
inline idle(k) { w[k] = 0; we[k] = 0; wi[k] = 0; wv[k] = 0; wg[k] = 0 }

/* A look or an answer (own: what was sent, plus 1) shows value g. */
inline merge(g, own) {
  if
  :: (own) && (g) + 1 == (own) -> B = g                               /* ours */
  :: !((own) && (g) + 1 == (own)) && (un & (1 << (g))) && (g) != B -> B = g   /* our own late write */
  :: else -> if :: (g) == B -> skip :: else -> if :: R == B -> R = g; B = g :: else -> B = g fi fi
  fi
}

/* What follows a claim, or a look: nothing to send, or the values are committed before they leave. */
inline step(k) {
  if
  :: R == B -> end(k); idle(k)
  :: else -> am = R + 1; wv[k] = R; w[k] = 4
  fi
}

inline bear() { born++; queued = born }

active proctype Lane() {
  do
  :: d_step { nL > 0 -> nL--; R++; said = R; ch = 1; printf("step: local edit a=%d\n", R); STATE }
  :: d_step { nL > 0 && R > 0 -> nL--; R--; said = R; ch = 1; printf("step: local edit a=%d\n", R); STATE }
  :: d_step { ch -> ch = 0; if :: queued -> ended = ended | (1 << queued) :: else fi; bear(); printf("step: drain\n"); STATE }
#define WORKER(k) \
  :: d_step { w[k] == 0 && running == 0 && queued != 0 -> running = queued; queued = 0; epoch++; we[k] = epoch; wi[k] = running; w[k] = 1; printf("step: worker %d claims\n", k); STATE } \
  :: d_step { w[k] == 1 -> printf("step: worker %d decides\n", k); \
       if :: !HOLDS(k) -> idle(k) :: HOLDS(k) && am -> wg[k] = T; w[k] = 2 :: else -> step(k) fi; STATE } \
  :: d_step { w[k] == 2 -> printf("step: worker %d commits its look\n", k); \
       if :: !HOLDS(k) -> idle(k) \
          :: else -> merge(wg[k], am); if :: am && wg[k] + 1 != am -> un = un | (1 << (am - 1)) :: else fi; am = 0; wg[k] = 0; step(k) fi; STATE } \
  :: d_step { w[k] == 4 -> T = wv[k]; wg[k] = T; w[k] = 5; printf("step: worker %d's patch arrives\n", k); STATE } \
  :: d_step { w[k] == 5 -> printf("step: worker %d commits its answer\n", k); \
       if :: !HOLDS(k) -> idle(k) \
          :: else -> merge(wg[k], am); am = 0; end(k); if :: R != B && !queued -> bear() :: else fi; idle(k) fi; STATE }
  WORKER(0)
  WORKER(1)
  /* the lease runs out: the event goes back, and a newer one that waits cancels it */
  :: d_step { nX > 0 && running != 0 -> nX--;
       if :: queued -> ended = ended | (1 << running) :: else -> queued = running fi; running = 0; printf("step: a lease runs out\n"); STATE }
  /* the end: what is late has landed, and one poll */
  :: d_step { !fin && nL == 0 -> fin = 1; nX = 0; printf("step: faults stop\n") }
  :: d_step { fin && !polled && w[0] == 0 && w[1] == 0 && !queued && !running && !ch -> polled = 1;
       if :: T != B -> merge(T, 0) :: else fi; if :: R != B && !queued -> bear() :: else fi; printf("step: POLL\n"); STATE }
  :: d_step { R != said -> assert(R == said) }                          /* nobody else edits it */
  :: d_step { fin && polled && w[0] == 0 && w[1] == 0 && !queued && !running ->
       assert(R == T && B == T); assert(ended == (1 << (born + 1)) - 2) } -> break
  od
}
