"""A DNS server that answers as a test says, also as servers do that are out of order."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from socketserver import BaseRequestHandler, UDPServer

import dns.message
import dns.rcode
import dns.rrset

# An address that nobody else listens on. Resolvers ask port 53 alone.
ADDRESS, PORT = "127.0.0.77", 53

# What is answered to a name and a type of record: addresses or an error.
Answers = Mapping[tuple[str, str], list[str] | dns.rcode.Rcode]


@contextmanager
def serving(answers: Answers) -> Iterator[str]:
    """Serve over UDP, and yield the address. A name that no answer is of does not exist.

    Raises:
        PermissionError: Only root may listen on port 53.
    """
    names = {name for name, _ in answers}

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            packet, channel = self.request
            response = dns.message.make_response(dns.message.from_wire(packet), True)
            (question,) = response.question
            name = question.name.to_text(omit_final_dot=True)
            answer = answers.get((name, question.rdtype.name), [])
            if name not in names:
                answer = dns.rcode.NXDOMAIN
            if isinstance(answer, dns.rcode.Rcode):
                response.set_rcode(answer)
            elif answer:
                found = dns.rrset.from_text_list(question.name, 60, "IN", question.rdtype, answer)
                response.answer.append(found)
            channel.sendto(response.to_wire(), self.client_address)

    with UDPServer((ADDRESS, PORT), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield ADDRESS
        server.shutdown()
