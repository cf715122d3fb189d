import { expect, it } from 'vitest';
import { placeMarks } from '../../packages/inspector/page/marks.ts';

const area = { width: 600, rows: 3 };

it('words stand beside their marks, where there is room', () => {
  expect(
    placeMarks(
      [
        { at: 100, wide: 50 },
        { at: 110, wide: 50 },
        { at: 400, wide: 50 },
      ],
      area,
    ),
  ).toEqual([
    { left: 104, row: 0 },
    { left: 114, row: 1 },
    { left: 404, row: 0 },
  ]);
});

it('those of a fast exchange beside one that hung can all be read, and cover no others', () => {
  // asked, 200, first event, finished, completed: within two pixels
  const marks = [150, 150, 151, 151, 152].map((at) => ({ at, wide: 60 }));
  expect(placeMarks(marks, area)).toEqual([
    { left: 154, row: 0 },
    { left: 154, row: 1 },
    { left: 155, row: 2 },
    { left: 222, row: 0 },
    { left: 222, row: 1 },
  ]);
});

it('words at the right edge stand to the left of it, and a crowd there is not told', () => {
  const marks = [598, 598, 599, 599].map((at) => ({ at, wide: 60 }));
  expect(placeMarks(marks, area)).toEqual([
    { left: 538, row: 0 },
    { left: 538, row: 1 },
    { left: 538, row: 2 },
    undefined,
  ]);
});

it('words that would stand far from their mark are left out, however wide the page is', () => {
  const marks = Array.from({ length: 6 }, () => ({ at: 100, wide: 100 }));
  const places = placeMarks(marks, { width: 2560, rows: 1 });
  expect(places.map((place) => place?.left)).toEqual([104, 212, 320, undefined, undefined, undefined]);
});
