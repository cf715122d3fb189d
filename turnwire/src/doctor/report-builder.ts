import { createConcealer, type Conceal } from '@turnwire/client/internal/platform/conceal';
import type { TapedExchange } from '@turnwire/testing';
import type { CheckOutcome, DoctorReport, ProbeReport, ReportedFinding, Tally, Verdict } from './doctor-report.ts';
import type { Outcome, Probe, Seen } from './examination.ts';
import type { Finding } from './finding.ts';
import { evidenceOf } from './proof/evidence.ts';
import { judgeClients } from './quirks/clients.ts';
import type { Quirk } from './quirks/quirk.ts';
import { quirkOn } from './quirks.ts';
import type { Rate } from './rates.ts';
import type { ProbeWire } from './wires.ts';

/** Puts a report together, probe by probe. */
export class ReportBuilder {
  readonly #secrets: readonly string[];
  readonly #onProbe: ((report: ProbeReport) => void) | undefined;
  readonly #conceal: Conceal;
  readonly #reports: ProbeReport[] = [];
  readonly #proofs = new Map<ReportedFinding, TapedExchange>();
  readonly #told = new Set<string>();

  /** @param secrets - some servers quote the key that they refuse */
  constructor(secrets: readonly string[], onProbe?: (report: ProbeReport) => void) {
    this.#secrets = secrets;
    this.#conceal = createConcealer(secrets);
    this.#onProbe = onProbe;
  }

  tell({ name, wire }: Pick<Probe, 'name' | 'wire'>, outcome: Outcome): void {
    const report = 'seen' in outcome ? this.#weigh(name, wire, outcome) : this.#unseen(name, wire, outcome);
    this.#reports.push(report);
    this.#onProbe?.(report);
  }

  /** The whole report. What shows a finding is looked for now: while probes run, it would slow them down. */
  async finish(url: string, model: string, rates: readonly Rate[] = []): Promise<DoctorReport> {
    const probes: ProbeReport[] = [];
    for (const probe of this.#reports) {
      const findings: ReportedFinding[] = [];
      for (const finding of probe.findings) findings.push(await this.#proved(finding));
      probes.push({ ...probe, findings });
    }
    const findings = probes.flatMap((probe) => probe.findings);
    const broken = findings.filter(({ level }) => level === 'broken').length;
    return { url, model: this.#conceal(model), probes, findings, broken, tally: tallyOf(probes), rates };
  }

  async #proved(finding: ReportedFinding): Promise<ReportedFinding> {
    const proof = this.#proofs.get(finding);
    if (proof === undefined) return finding;
    return { ...finding, evidence: await evidenceOf(proof, finding.quirk, this.#secrets) };
  }

  #unseen(name: string, wire: ProbeWire, why: Exclude<Outcome, Seen>): ProbeReport {
    const [outcome, text] =
      'absent' in why ? (['not-offered', why.absent] as const) : (['not-run', why.skipped] as const);
    return { name, wire, verdict: 'skipped', outcome, seen: this.#conceal(text), findings: [], again: [] };
  }

  #weigh(name: string, wire: ProbeWire, { seen, findings, undone = false, proof }: Seen): ProbeReport {
    const fresh = findings.filter(({ quirk }) => {
      const key = `${wire} ${quirk}`;
      return !this.#told.has(key) && this.#told.add(key).has(key);
    });
    const reported = fresh.map((finding) => this.#report(finding, wire));
    if (proof !== undefined) for (const finding of reported) this.#proofs.set(finding, proof);
    const names = new Set(findings.filter((finding) => !fresh.includes(finding)).map(({ quirk }) => quirk));
    const again = [...names].filter((quirk) => !fresh.some((finding) => finding.quirk === quirk));
    const rows = findings.map(({ quirk }) => quirkOn(quirk, wire));
    const verdict = verdictOf(rows);
    const outcome = outcomeOf(verdict, rows, undone);
    return { name, wire, verdict, outcome, seen: this.#conceal(seen), findings: reported, again };
  }

  #report({ quirk, seen }: Finding, wire: ProbeWire): ReportedFinding {
    const { level, right, stumbles, answer, mend, repairs = [] } = quirkOn(quirk, wire);
    const clients = judgeClients(quirk, wire, stumbles);
    return { quirk, seen: this.#conceal(seen), wire, level, right, stumbles, clients, answer, repairs, mend };
  }
}

function verdictOf(rows: readonly Quirk[]): Verdict {
  if (rows.some(({ level }) => level === 'broken')) return 'broken';
  return rows.length > 0 ? 'odd' : 'ok';
}

/** A fault before all else; then what says that there was nothing to see. */
function outcomeOf(verdict: Verdict, rows: readonly Quirk[], undone: boolean): CheckOutcome {
  if (verdict === 'broken') return 'fault';
  if (undone || rows.some(({ outcome }) => outcome === 'model')) return 'model';
  return rows.some(({ outcome }) => outcome === 'not-offered') ? 'not-offered' : 'pass';
}

function tallyOf(probes: readonly ProbeReport[]): Tally {
  const count = (wanted: CheckOutcome): number => probes.filter(({ outcome }) => outcome === wanted).length;
  return {
    checks: probes.length,
    pass: count('pass'),
    fault: count('fault'),
    model: count('model'),
    'not-offered': count('not-offered'),
    'not-run': count('not-run'),
  };
}
