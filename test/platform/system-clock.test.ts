import { describe, expect, it } from 'vitest';
import { systemClock } from '../../packages/client/src/platform/system-clock.ts';

describe('systemClock', () => {
  it('does not fire a delay at once that is longer than the timers of Node can hold', async () => {
    const warnings: string[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning.name);
    process.on('warning', onWarning);
    let fired = false;
    const timer = systemClock.after(3_000_000_000, () => (fired = true));
    await new Promise((resolve) => systemClock.after(20, () => resolve(undefined), { keepAlive: true }));
    timer.cancel();
    process.off('warning', onWarning);
    expect({ fired, warnings }).toEqual({ fired: false, warnings: [] });
  });
});
