import { parse as parseJsonc } from 'jsonc-parser';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { describe, expect, it } from 'vitest';
import { editJsonc } from '../../../turnwire/src/cli/setup/edit-jsonc.ts';
import { editToml } from '../../../turnwire/src/cli/setup/edit-toml.ts';
import { putInYamlList } from '../../../turnwire/src/cli/setup/edit-yaml.ts';

describe('TOML', () => {
  const edits = [
    { path: ['model'], value: 'tiny' },
    { path: ['model_context_window'], value: 4096 },
    { path: ['model_providers', 'turnwire', 'base_url'], value: 'http://x/v1' },
    { path: ['model_providers', 'turnwire', 'env_key'], value: undefined },
  ];

  it.each<[string, string, string]>([
    [
      'an empty file',
      '',
      'model = "tiny"\nmodel_context_window = 4096\n\n[model_providers.turnwire]\nbase_url = "http://x/v1"\n',
    ],
    [
      'comments, order and spaces',
      '# mine\nmodel   =  "old" # why\napproval_policy = "never"\n\n# about tables\n[tools]\nweb = true\n',
      '# mine\nmodel   =  "tiny" # why\napproval_policy = "never"\nmodel_context_window = 4096\n\n# about tables\n[tools]\nweb = true\n\n[model_providers.turnwire]\nbase_url = "http://x/v1"\n',
    ],
    [
      'tables alone, and no last line break',
      '# about tables\n[tools]\nweb = true',
      'model = "tiny"\nmodel_context_window = 4096\n\n# about tables\n[tools]\nweb = true\n\n[model_providers.turnwire]\nbase_url = "http://x/v1"\n',
    ],
    [
      'CRLF',
      'model = "old"\r\n[a]\r\nb = 1\r\n',
      'model = "tiny"\r\nmodel_context_window = 4096\r\n[a]\r\nb = 1\r\n\r\n[model_providers.turnwire]\r\nbase_url = "http://x/v1"\r\n',
    ],
    [
      'a block of its own, in the middle',
      "model = '''\nold'''\nmodel_context_window = 1\n[model_providers.turnwire]\nname = 'mine' # kept\nenv_key = \"OLD\" # gone\n\n[a]\nb = 1\n",
      'model = "tiny"\nmodel_context_window = 4096\n[model_providers.turnwire]\nname = \'mine\' # kept\nbase_url = "http://x/v1"\n\n[a]\nb = 1\n',
    ],
    [
      'dotted keys, a byte order mark',
      '\uFEFFmodel_providers.turnwire.base_url = "old"\n',
      '\uFEFFmodel_providers.turnwire.base_url = "http://x/v1"\nmodel = "tiny"\nmodel_context_window = 4096\n',
    ],
  ])('keeps %s', (_, before, after) => {
    expect(editToml(before, edits)).toBe(after);
    expect(editToml(after, edits)).toBe(after);
    expect(parseToml(after.replace('\uFEFF', ''))).toMatchObject({ model: 'tiny' });
  });

  it.each([
    ['# mine\nmodel = ', 'it is not TOML (line 2)'],
    [
      'model_providers = { turnwire = { name = "x" } }\n',
      'line 1: model_providers cannot be changed in this form: write it with a head of its own, [model_providers.turnwire]',
    ],
    [
      '# mine\nmodel_providers.turnwire.name = "x"\n',
      'line 2: model_providers.turnwire.name cannot be changed in this form',
    ],
    ['[model_providers]\nturnwire = {}\n', 'line 2: model_providers.turnwire cannot be changed in this form'],
  ])('refuses %j', (text, message) => {
    expect(() => editToml(text, edits)).toThrow(message);
  });
});

describe('JSON', () => {
  const edits = [
    { path: ['env', 'URL'], value: 'http://x' },
    { path: ['model'], value: 'tiny' },
    { path: ['gone'], value: undefined },
  ];

  it.each<[string, string, string]>([
    ['an empty file', '', '{\n  "env": {\n    "URL": "http://x"\n  },\n  "model": "tiny"\n}\n'],
    ['one line', '{"a":1}', '{\n  "a": 1,\n  "env": {\n    "URL": "http://x"\n  },\n  "model": "tiny"\n}'],
    [
      'comments, order and no last line break',
      '// mine\n{\n  "a": 1, // one\n  "model": "old", // why\n  "gone": 1,\n  "z": 2 // last\n  // the end\n}',
      '// mine\n{\n  "a": 1, // one\n  "model": "tiny", // why\n  "z": 2, // last\n  // the end\n  "env": {\n    "URL": "http://x"\n  }\n}',
    ],
    [
      'trailing commas, tabs and CRLF',
      '{\r\n\t"env": {\r\n\t\t"A": "b", /* c */\r\n\t},\r\n}\r\n',
      '{\r\n\t"env": {\r\n\t\t"A": "b", /* c */\r\n\t\t"URL": "http://x",\r\n\t},\r\n\t"model": "tiny",\r\n}\r\n',
    ],
  ])('keeps %s', (_, before, after) => {
    expect(editJsonc(before, edits)).toBe(after);
    expect(editJsonc(after, edits)).toBe(after);
    expect(parseJsonc(after)).toMatchObject({ env: { URL: 'http://x' }, model: 'tiny' });
  });

  it.each([
    ['{\n  "a": 1, // one\n  "gone": 2 // two\n}\n', '{\n  "a": 1 // one\n}\n'],
    ['{\n  "gone": { "b": 2 },\n  // about a\n  "a": 1\n}\n', '{\n  // about a\n  "a": 1\n}\n'],
    ['{ "gone": 1, "a": 1 }', '{\n  "a": 1\n}'],
    ['{\n  "a": 1, "gone": 2\n}', '{\n  "a": 1\n}'],
  ])('takes a key out of %j', (before, after) => {
    expect(editJsonc(before, [{ path: ['gone'], value: undefined }])).toBe(after);
  });

  it.each([
    ['{ "a": }', 'it is not JSON (line 1)'],
    ['{\n"a": 1\n"b": 2 }', 'it is not JSON (line 3)'],
    ['[1]', 'it is no JSON object'],
    ['{ "env": 5 }', 'something else where a table is wanted'],
    ['{ "model": 1, "model": 2 }', 'it has a key twice'],
  ])('refuses %j', (text, message) => {
    expect(() => editJsonc(text, edits)).toThrow(message);
  });
});

describe('YAML', () => {
  const entry = { name: 'turnwire', model: 'tiny', roles: ['chat', 'edit'] };

  it.each<[string, string, string]>([
    ['an empty file', '', 'models:\n  - name: turnwire\n    model: tiny\n    roles:\n      - chat\n      - edit\n'],
    [
      'comments and other keys',
      '# mine\nname: Local # why\n',
      '# mine\nname: Local # why\nmodels:\n  - name: turnwire\n    model: tiny\n    roles:\n      - chat\n      - edit\n',
    ],
    [
      'other entries, their indentation, what follows',
      'models:\n- name: a # one\n  model: "x"\n\n# about rules\nrules:\n- r\n',
      'models:\n- name: a # one\n  model: "x"\n- name: turnwire\n  model: tiny\n  roles:\n    - chat\n    - edit\n\n# about rules\nrules:\n- r\n',
    ],
    [
      'its own entry in its place, CRLF',
      'models:\r\n  - name: turnwire\r\n    model: old\r\n  - name: b # two\r\n    model: y\r\n',
      'models:\r\n  - name: turnwire\r\n    model: tiny\r\n    roles:\r\n      - chat\r\n      - edit\r\n  - name: b # two\r\n    model: y\r\n',
    ],
    [
      'no last line break',
      'models:\n  - name: b\n    model: y',
      'models:\n  - name: b\n    model: y\n  - name: turnwire\n    model: tiny\n    roles:\n      - chat\n      - edit\n',
    ],
  ])('keeps %s', (_, before, after) => {
    expect(putInYamlList(before, 'models', entry)).toBe(after);
    expect(putInYamlList(after, 'models', entry)).toBe(after);
    expect((parseYaml(after) as { models: unknown[] }).models).toContainEqual(entry);
  });

  it.each([
    ['a: [', 'it is not YAML'],
    ['- a', 'it is no YAML table'],
    ['models: []', 'its models are in a form that cannot be changed here'],
    ['models:\n  - uses: x\n  - text', 'its list holds something else'],
  ])('refuses %j', (text, message) => {
    expect(() => putInYamlList(text, 'models', entry)).toThrow(message);
  });
});
