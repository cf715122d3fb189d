import OpenAI from 'openai';
import { openaiClients } from './openai.mjs';

export const clients = openaiClients(OpenAI);
