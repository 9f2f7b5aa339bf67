// The functions behind predicates.inc, one file a family. Each takes its arguments from the row.
#ifndef POLICY_VERDICT_PREDICATE_FN_H_
#define POLICY_VERDICT_PREDICATE_FN_H_

#include "policy/verdict/predicate.h"

#define ASK(name) enum answer ask_##name(const struct view *view, const struct predicate_row *row)

// predicate_record.c: how the connection came, DNS and TCP
ASK(mode);
ASK(parent_used);
ASK(record_word); // the first field holds `word`
ASK(status);      // the proxy answered with one of `codes`
ASK(refused_by_policy);
ASK(dns_error); // `word`: "missing" or "broken"
ASK(names_differ);
ASK(misdirected);
ASK(dns_sink);
ASK(dial_end); // TCP ended with `word`
ASK(loopback); // UNKNOWN where --to or a parent chose the address
ASK(dialed_here);
ASK(only_ipv6);
ASK(dialed);
ASK(awaits_server);
ASK(still_open);
ASK(plain_flowed);
ASK(plain_answered);
ASK(dialed_itself);
ASK(dial_failed_here);
ASK(not_tls_tunnel);

// predicate_end.c: how legs ended, alerts
ASK(up_alert);         // the server's first error alert has one of `codes`, before its ServerHello
ASK(up_alert_late);    // the same, after it
ASK(up_alert_unasked); // the server sent an alert before it was sent a hello
ASK(up_alert_ever);    // the same, at any time: TLS 1.3 stacks say it on either side of the
                       // ServerHello
ASK(down_alert);       // the client's first error alert has one of `codes`, after the ServerHello
ASK(up_alerted);       // the server sent any error alert
ASK(down_alerted);
ASK(any_alert);
ASK(up_detail); // the library's words on the server's leg hold one of those of `word`
ASK(down_detail);
ASK(up_ended); // the server's leg ended by `word`: "server fin"
ASK(down_ended);
ASK(up_left);       // the server ended its leg by FIN or RST
ASK(down_gone);     // the client ended its leg by FIN or RST
ASK(down_left);     // the same, without an alert before
ASK(down_reached);  // the client's leg completed step codes[0]
ASK(up_reached);    // likewise of the server's
ASK(up_stopped_at); // it completed codes[0] and nothing after
ASK(down_stopped_at);
ASK(answered);
ASK(retried);
ASK(emulation_shows); // a peer objected while we emulated a box
ASK(hello_cut);
ASK(hello_seen);
ASK(client_left_first);
ASK(client_waited); // for codes[0] ms from its hello to its end
ASK(server_waited); // for codes[0] ms from the connection to its end
ASK(hello_acknowledged);
ASK(down_acknowledged);

// predicate_middle.c: ends in the middle, and clients that leave
ASK(up_torn);  // the server's last record did not come whole
ASK(up_clear); // the server chose a version whose handshake is in clear up to Finished
ASK(down_clear);
ASK(up_resent);
ASK(rst_ttl_odd);
ASK(mac_in_data);
ASK(hidden_alert); // of a watched TLS 1.3 client, by its size
ASK(ended_at);     // the record calls the last step of the client's leg one of `word`
ASK(noted);        // there is a note of `word` on the client's leg
ASK(left_unused);
ASK(client_quiet); // its stack sends no alert against a certificate that it distrusts

// predicate_hello.c: offers and answers
ASK(offer_below); // the client offers nothing as new as codes[0]
ASK(offer_above); // the client offers nothing as old as codes[0]
ASK(offer_has_version);
ASK(offer_flag); // the first field of the offer is true or above 0
ASK(offer_group);
ASK(offer_size);
ASK(offer_suites_old);
ASK(offer_standard);
ASK(offer_groups_odd);
ASK(offer_one_group);
ASK(offer_auth_one_kind);
ASK(offer_sigalgs_odd);
ASK(offer_no_name);
ASK(offer_says_48); // a hello of OpenSSL's kin
ASK(offer_alpn_http);
ASK(cut); // the proxy left out items of the first field that the client offers
ASK(answer_version_old);
ASK(answer_version_unoffered);
ASK(choice_offered); // what the server chose, the first field, is in the list of the client's, the
                     // second
ASK(sent_version);
ASK(answer_not_tls); // `word`: "http", "other" or "binary"
ASK(answer_sentinel);
ASK(answer_suite_weak);
ASK(answer_dh_below);
ASK(answer_no_renegotiation);
ASK(answer_flag); // the first field of the server's answer is true

// predicate_chain.c: the server's certificates, what the client made of its own, data
ASK(verified);
ASK(defects_hidden); // policy keeps the server's defects from the client
ASK(leaf_sound);     // none of them reached the client
ASK(defect);         // a defect without which the chain would be good is codes[0]
ASK(fetchable);
ASK(defect_borne); // a defect in spite of which the chain is good is codes[0]
ASK(key_small);
ASK(issuer_below_root);
ASK(leaf_dates); // `word`: "expired" or "early", by the certificate's own dates
ASK(leaf_self_signed);
ASK(established); // both legs that were terminated finished
ASK(client_data);
ASK(server_data);
ASK(down_resumed);
ASK(seen_12);
ASK(saw_finished); // seen in clear, TLS 1.2 and before

// predicate_experiment.c: what experiments showed. `word` names probes.
ASK(probe_passes);      // every run of any one of them was answered
ASK(probe_failed_how);  // "NAME:WORDS": every run failed, in one of these ways
ASK(probe_fails_alike); // every run of it and of the base failed in the same way
ASK(probe_repeated);    // it passed twice, and the base failed twice
ASK(probe_fails_twice); // every run failed, and there were several
ASK(probe_flaky);       // its runs did not all come out alike
ASK(flight_garbled); // what came back could not be read, or the server said one of `codes` of ours
ASK(version_matters);
ASK(factor_matters); // "WITHOUT WITH": the factor decides
ASK(factor_follows); // the same with the control host
ASK(reset_early);
ASK(hello_unacknowledged);
ASK(probe_lost);
ASK(address_differs); // the probe met the host at another address than the base
ASK(box_does);        // a box was located, and does one of the words of `word`
ASK(box_by_name);
ASK(way_clean); // searched to its end, and no box was found
ASK(nonce_certificate);
ASK(control_same_issuer);
ASK(control_public);
ASK(clock_wrong); // by more than codes[0] minutes
// predicate_handshake.c: what whole handshakes showed. `word` is "PROBE:WORD".
ASK(cert_told); // what the server made of a client certificate, or of none
ASK(ech_told);  // what became of an encrypted hello
ASK(ech_from);  // where its configuration came from
// predicate_clock.c: whose clock is wrong
ASK(leaf_untimely);
ASK(end_proven);   // the leaf has ended by other clocks than the proxy's, too
ASK(signed_later); // something was signed more than a day after the proxy's now
ASK(dates_far);    // the leaf ended or begins more than codes[0] days from now
ASK(clock_kept);
ASK(client_dates_alike);    // a client on another machine sent one of `codes`
ASK(refused_not_untrusted); // it refused our leaf with one of `codes`, which its kind of library
                            // never says of an unknown CA; also in a try named `word`
// predicate_try.c: what a client's own tries showed
ASK(form_passes); // it went on with another form of our leaf, codes[0] times
ASK(forms_fail);  // it refused so many other forms
ASK(canary_shown);
ASK(canary_refused); // each that it was shown
// predicate_staple.c: stapled OCSP responses, and what was fetched
ASK(staple_is);       // what the staple comes to is `word`
ASK(staple_bad);      // it proves nothing, and does not say revoked either
ASK(staple_none);     // the handshake is complete without one
ASK(staple_insisted); // asked for by a client that does not ask by habit
ASK(completed);
// predicate_box.c: what boxes do to certificates
ASK(inspector);
ASK(issuer_unknown);
ASK(issuer_named); // the issuer holds one of the parts of `word`, separated by |
ASK(issuer_untrusted);
ASK(public_name);
ASK(test_defect_name);

// predicate_trace.c: weaker traces of boxes
ASK(syn_misfit); // the client's SYN against its User-Agent
ASK(via_inspector);
ASK(leaf_minted);
ASK(serial_short);
ASK(answer_slow);
ASK(alpn_unanswered);
ASK(answer_retired); // the server chose something old though it was offered better
ASK(replay_issuer_differs);

// predicate_claim.c: who the client says it is
ASK(claim_misfit);
ASK(user_agent);   // it holds one of the words of `word`, in any case
ASK(claim_engine); // it is `word`
ASK(hello_like);   // the misfit hello looks like a kind of `word`

// predicate_history.c: what other connections say
ASK(history_least); // the first field is at least codes[0]
ASK(hello_shared);  // and the hello does not fit this one's claim without doubt

// inspector_of returns the product by whose name the leaf's issuer goes, or NULL.
const char *inspector_of(const struct view *view);

// via_inspector_of returns the product that Via of the request names, or NULL.
const char *via_inspector_of(const struct view *view);
// leaf_form_of returns what the form of our leaf has that the client went on with, or NULL.
const char *leaf_form_of(const struct view *view);

// word_in returns whether `text` holds `word` as a whole word of capitals, digits and underscores.
bool word_in(const char *text, const char *word);
// mentions returns whether `text`, NULL where it is not known, holds one of `parts`, in any case.
// Characters of `apart` stand between them.
enum answer mentions(const char *text, const char *parts, const char *apart);

#endif // POLICY_VERDICT_PREDICATE_FN_H_
