export * from '../sealed-thinking.ts';
