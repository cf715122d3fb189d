import { describe, expect, it } from 'vitest';
import { Rest, type RestDemand } from '../../packages/bridge/src/upstream/rest.ts';

const plain: RestDemand = { leastMs: 0, askedMs: undefined };

/** A rest on a clock that is moved by hand. */
function restAt(): { rest: Rest; pass: (ms: number) => void; fail: (demand?: Partial<RestDemand>) => number } {
  const at = { now: 1000 };
  const rest = new Rest(() => at.now);
  return {
    rest,
    pass: (ms) => (at.now += ms),
    fail: (demand) => {
      rest.begin().failed({ ...plain, ...demand });
      return rest.until - at.now;
    },
  };
}

describe('the rest of a server', () => {
  it('doubles from 1 s to 60 s with each failing probe', () => {
    const { rest, pass, fail } = restAt();
    const lengths = Array.from({ length: 8 }, () => {
      const ms = fail();
      expect(rest.state).toBe('resting');
      pass(ms);
      expect(rest.state).toBe('due');
      return ms;
    });
    expect(lengths).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('is as long as the server asks for, within ten minutes, and as long as its kind of failure wants', () => {
    expect(restAt().fail({ askedMs: 28 })).toBe(28);
    expect(restAt().fail({ askedMs: 30_000 })).toBe(30_000);
    expect(restAt().fail({ askedMs: 3_600_000 })).toBe(600_000);
    expect(restAt().fail({ askedMs: 0 })).toBe(1000);
    expect(restAt().fail({ leastMs: 60_000 })).toBe(60_000);
    expect(restAt().fail({ leastMs: 60_000, askedMs: 5000 })).toBe(60_000);
  });

  it('counts the failures of turns that ran side by side once', () => {
    const { rest, pass } = restAt();
    const turns = [rest.begin(), rest.begin(), rest.begin()];
    expect(turns.map((turn) => turn.failed(plain))).toEqual([true, false, false]);
    expect(rest.failures).toBe(1);
    pass(1000);
    expect(rest.state).toBe('due');
  });

  it('is made longer by what a later answer of the same time asks for', () => {
    const { rest } = restAt();
    const [one, two] = [rest.begin(), rest.begin()];
    one.failed(plain);
    two.failed({ leastMs: 0, askedMs: 5000 });
    expect(rest.until).toBe(6000);
  });

  it('lets one turn probe, and all when that is done', () => {
    const { rest, pass, fail } = restAt();
    pass(fail());
    const probe = rest.begin();
    expect(rest.state).toBe('probing');
    probe.succeeded();
    expect([rest.state, rest.failures]).toEqual(['ready', 0]);
  });

  it('lets another turn probe when the first left without a verdict', () => {
    const { rest, pass, fail } = restAt();
    pass(fail());
    rest.begin().left();
    expect(rest.state).toBe('due');
  });

  it('takes turns again while the probe has streamed for as long as the rest was, and still knows of the failure', () => {
    const { rest, pass, fail } = restAt();
    pass(fail());
    const probe = rest.begin();
    probe.began();
    pass(999);
    expect(rest.state).toBe('probing');
    pass(1);
    expect([rest.state, rest.failures]).toEqual(['ready', 1]);
    probe.failed(plain);
    expect([rest.state, rest.failures]).toEqual(['resting', 2]);
  });

  it('is not ended by a turn that began before it', () => {
    const { rest } = restAt();
    const [old, bad] = [rest.begin(), rest.begin()];
    bad.failed(plain);
    old.succeeded();
    expect(rest.state).toBe('resting');
  });
});
