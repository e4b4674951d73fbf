import { mixesDigits } from '../validators/entropy.ts'
import type { KeyForm } from './key-form.ts'

/** Source control, package registries, build services and model providers. */
export const CODE_KEYS: readonly KeyForm[] = [
  {
    name: 'GITHUB_TOKEN',
    of: 'GitHub token',
    templates: ['ghp_{A36}', 'gho_{A36}', 'ghu_{A36}', 'ghs_{A36}', 'ghr_{A36}', 'github_pat_{W82}'],
  },
  {
    name: 'GITLAB_TOKEN',
    of: 'GitLab token',
    templates: ['pat', 'cbt', 'dt', 'ffct', 'ft', 'imt', 'agent', 'oas', 'ptt', 'rt', 'soat']
      .map(kind => `gl${kind}-{W20,64}`)
      .concat('glpat-{W20,300}.{L9,12}', 'glrt-{W20,300}.{L9,12}', 'GR1348941{W20}'),
  },
  { name: 'GITLAB_SESSION', of: 'GitLab session cookie', templates: ['_gitlab_session={L32}'] },
  {
    name: 'BITBUCKET_TOKEN',
    of: 'Bitbucket app password or access token',
    templates: ['ATBB{A32}', 'ATCTT3xFf{E150,200}'],
    alone: true,
  },
  { name: 'BUILDKITE_TOKEN', of: 'Buildkite token', templates: ['bkua_{H40}', 'bkaj_{W40,80}'], alone: true },
  {
    name: 'CIRCLECI_TOKEN',
    of: 'CircleCI token',
    templates: ['CCIPAT_{A22}_{H40}', 'CCIPRJ_{A22}_{H40}'],
    alone: true,
  },
  { name: 'CRATES_IO_TOKEN', of: 'crates.io token', templates: ['cio{A32}'], alone: true, check: mixesDigits },
  { name: 'NUGET_KEY', of: 'NuGet API key', templates: ['oy2{L43}'], alone: true },
  {
    name: 'SONAR_TOKEN',
    of: 'SonarQube token',
    templates: ['squ_{H40}', 'sqp_{H40}', 'sqa_{H40}'],
    alone: true,
  },
  { name: 'NPM_TOKEN', of: 'npm access token', templates: ['npm_{A36}'] },
  {
    name: 'PYPI_TOKEN',
    of: 'PyPI upload token',
    templates: ['pypi-AgEIcHlwaS5vcmc{W50}', 'pypi-AgENdGVzdC5weXBpLm9yZ{W50}'],
    rest: 'W',
  },
  { name: 'RUBYGEMS_KEY', of: 'RubyGems API key', templates: ['rubygems_{H48}'] },
  { name: 'CLOJARS_TOKEN', of: 'Clojars token', templates: ['CLOJARS_{A60}'] },
  { name: 'DOCKER_TOKEN', of: 'Docker access token', templates: ['dckr_pat_{W27}', 'dckr_oat_{W27,40}'] },
  {
    name: 'ARTIFACTORY_KEY',
    of: 'JFrog Artifactory key or reference token',
    templates: ['AKCp{A69}', 'cmVmd{A59}'],
    alone: true,
  },
  {
    name: 'OCTOPUS_KEY',
    of: 'Octopus Deploy API key',
    templates: ['API-{U26}'],
    alone: 'A-Za-z0-9_/-',
    check: match => /\d/.test(match),
  },
  {
    name: 'HARNESS_KEY',
    of: 'Harness API key',
    templates: ['pat.{W22}.{A24}.{A20}', 'sat.{W22}.{A24}.{A20}'],
    alone: true,
  },
  {
    name: 'SOURCEGRAPH_TOKEN',
    of: 'Sourcegraph access token',
    templates: ['sgp_{X40}', 'sgp_local_{X40}', 'sgp_{X16}_{X40}'],
    alone: true,
  },
  { name: 'POSTMAN_KEY', of: 'Postman API key', templates: ['PMAK-{H24}-{H34}'] },
  { name: 'README_KEY', of: 'ReadMe API key', templates: ['rdme_{L70}'] },
  {
    name: 'AUTHRESS_KEY',
    of: 'Authress service client key',
    templates: [
      'sc_{L5,30}.{L4,6}.acc_{L10,32}.{F30,120}',
      'ext_{L5,30}.{L4,6}.acc_{L10,32}.{F30,120}',
      'scauth_{L5,30}.{L4,6}.acc_{W10,32}.{F30,120}',
      'authress_{L5,30}.{L4,6}.acc-{W10,32}.{F30,120}',
    ],
    alone: true,
  },
  {
    name: 'OPENAI_KEY',
    of: 'OpenAI API key',
    templates: ['sk-proj-{W40,220}', 'sk-svcacct-{W40,220}', 'sk-admin-{W40,220}', 'sk-{A20}T3BlbkFJ{A20}'],
    alone: 'A-Za-z0-9_-',
  },
  {
    name: 'ANTHROPIC_KEY',
    of: 'Anthropic key',
    templates: ['api03', 'admin01', 'oat01', 'ort01', 'sid01'].map(kind => `sk-ant-${kind}-{W93}AA`),
    alone: 'A-Za-z0-9_-',
  },
  { name: 'OPENROUTER_KEY', of: 'OpenRouter key', templates: ['sk-or-v1-{H64}'], alone: true },
  {
    name: 'LLM_API_KEY',
    of: 'Key of an OpenAI-compatible provider',
    templates: [
      'sk-{A32,64}',
      'gsk_{A52}',
      'xai-{A80}',
      'r8_{A37}',
      'pplx-{A48}',
      'csk-{L48}',
      'nvapi-{W60,70}',
      'fw_{A22,32}',
      'sk-lf-{H8}-{H4}-{H4}-{H4}-{H12}',
    ],
    alone: 'A-Za-z0-9_-',
    check: mixesDigits,
  },
  {
    name: 'LLM_TOOL_KEY',
    of: 'Key of a search, vector or speech service for models (Tavily, Pinecone, Jina, Firecrawl, ElevenLabs)',
    templates: [
      'tvly-{A32}',
      'tvly-dev-{A32}',
      'tvly-prod-{A32}',
      'pcsk_{W60,80}',
      'jina_{W60,70}',
      'fc-{H32}',
      'sk_{H48}',
    ],
    alone: 'A-Za-z0-9_-',
  },
  { name: 'LANGSMITH_KEY', of: 'LangSmith key', templates: ['lsv2_pt_{H32}_{H10}', 'lsv2_sk_{H32}_{H10}'] },
  {
    name: 'HUGGINGFACE_TOKEN',
    of: 'Hugging Face token',
    templates: ['hf_{A34}', 'api_org_{A34}'],
    alone: 'A-Za-z0-9_',
  },
]
