"""One way of reading a message before it is classified: width, script, noise and sound."""

from __future__ import annotations

import os
import re
import unicodedata
from functools import cache, lru_cache
from importlib import import_module
from importlib.resources import files
from typing import Any

#: Code points of a message that the classifier looks at.
LONGEST = 2000

# Traditional and simplified by turns: the characters that turn up in everyday messages, one reading each.
_SCRIPTS = (
    "個个們们這这對对時时會会說说學学國国為为過过還还沒没開开關关問问題题發发現现長长門门間间東东車车見见親亲覺觉觀观請请謝谢讓让話话語语認认"
    "誰谁課课調调談谈論论議议訊讯記记許许該该詢询試试詩诗詳详誠诚誤误識识變变讀读員员買买賣卖費费資资貴贵賽赛質质賬账賀贺賠赔賞赏貼贴購购點点"
    "熱热樂乐樣样機机極极權权歡欢歲岁歸归殺杀氣气漢汉滿满無无電电當当畫画異异療疗癒愈瘋疯與与專专導导尋寻將将屆届層层島岛師师幫帮幹干幾几庫库"
    "應应廣广廳厅廠厂張张強强彈弹從从復复徵征懷怀態态慶庆懶懒憂忧戀恋戲戏戰战掃扫報报擇择擔担據据擴扩攝摄擁拥損损換换揮挥搶抢擠挤擾扰敗败敘叙數数"
    "斷断曉晓暫暂書书條条構构標标檢检橋桥歐欧決决況况準准減减測测湯汤溝沟滅灭潔洁潤润濟济濕湿災灾煩烦燈灯燒烧爭争爺爷爾尔牆墙獎奖獨独獲获環环"
    "產产畢毕盜盗盡尽監监盤盘確确禮礼禍祸種种稱称積积穩稳窮穷筆笔節节範范築筑簡简簽签籃篮籌筹糧粮級级紅红約约紀纪純纯紙纸紛纷組组細细終终結结給给"
    "絕绝統统經经維维綠绿網网緊紧線线練练縣县總总績绩織织繳缴繼继續续罰罚罷罢羅罗義义習习聖圣聞闻聯联聲声職职聽听腦脑腳脚腸肠臉脸臨临舊旧艙舱艱艰"
    "藝艺藥药蘇苏處处號号蟲虫術术衛卫裝装裡里裏里製制複复補补規规視视計计訂订討讨訓训設设訴诉註注評评詞词誌志誕诞諾诺謀谋證证譜谱護护豐丰負负財财"
    "貧贫責责貢贡貨货販贩貸贷趕赶趙赵趨趋跡迹踐践軍军軟软載载輔辅輕轻輪轮輸输轉转辦办農农運运遊游達达違违遠远適适遲迟選选遺遗邊边郵邮鄉乡鄰邻醫医"
    "釋释針针鈴铃銀银銷销錄录錢钱錯错鍵键鍛锻鎖锁鎮镇鏡镜鐘钟鐵铁閉闭閒闲閱阅隊队陽阳陰阴陳陈陸陆險险隨随隱隐雖虽雙双雜杂離离難难雲云靈灵靜静韓韩"
    "響响頁页項项順顺須须預预頭头額额顏颜願愿顧顾風风飛飞飯饭飲饮館馆養养餘余駕驾駛驶驗验驚惊髮发鬆松鬥斗鬧闹魚鱼鮮鲜鳥鸟麗丽麥麦麼么黃黄黨党齊齐"
    "齡龄龍龙龜龟體体併并倉仓側侧偵侦偽伪傑杰傘伞備备傷伤傾倾僅仅價价億亿儘尽優优償偿儲储兒儿兩两內内冊册凍冻剛刚創创劃划劇剧劉刘劑剂勁劲動动務务"
    "勝胜勞劳勢势勵励區区協协卻却參参啟启單单喪丧嗎吗嘆叹嚇吓嚴严團团園园圍围圖图塊块場场塵尘壓压壞坏壯壮壽寿夢梦夠够奪夺奮奋婦妇媽妈孫孙寧宁寫写"
    "實实審审寵宠寶宝尷尴屬属崗岗帶带彙汇徑径悶闷惡恶惱恼愛爱慘惨慣惯慮虑憑凭憲宪憶忆懇恳懸悬戶户拋抛捨舍掛挂採采揚扬搖摇撐撑擊击擬拟擺摆攔拦攜携"
    "敵敌於于昇升曆历樁桩樓楼檔档歷历毀毁沖冲淚泪淨净淺浅滯滞漲涨漸渐潰溃灣湾爲为狀状獻献瑪玛痙痉皺皱盧卢瞭了砲炮碼码禱祷禿秃糾纠紹绍絡络絲丝緒绪"
    "緣缘緩缓編编縮缩罵骂翹翘聰聪肅肃膚肤膽胆臟脏蔣蒋薦荐蘋苹虛虚蝦虾衝冲襯衬覽览觸触託托誘诱誼谊謎谜謹谨豬猪贈赠贊赞贏赢躍跃軌轨輛辆辭辞遞递遷迁"
    "釣钓鈕钮銳锐錶表鍋锅鑑鉴鑰钥闆板闖闯陣阵階阶際际隸隶霧雾頓顿頻频顆颗顫颤顯显餃饺餓饿騎骑騙骗騰腾鬱郁鴨鸭鹽盐麵面喫吃妳你臺台颱台檯台週周"
    "禦御係系嚐尝甦苏貓猫窩窝紮扎噸吨飄飘壩坝傳传債债倆俩憤愤葉叶蔔卜賴赖賢贤賓宾賦赋來来後后鳴鸣囑嘱墜坠墳坟嬰婴屍尸巖岩幣币恥耻撿捡擋挡攤摊"
    "暈晕棄弃楊杨歎叹殘残毆殴氈毡涼凉滾滚濃浓澀涩爛烂牽牵猙狰獄狱瘡疮癢痒眾众睏困瞞瞒硯砚碩硕祿禄稅税穌稣竊窃竅窍籠笼紐纽納纳紗纱綁绑綜综緻致"
    "縫缝繞绕繩绳罈坛聳耸脅胁脫脱膠胶艦舰蓋盖蕩荡蘭兰蘿萝衊蔑訝讶詐诈詭诡詠咏誇夸誦诵諒谅諮咨諷讽謊谎譯译讚赞豈岂賊贼賤贱賜赐贖赎"
    "蹤踪軀躯輝辉輩辈輯辑遙遥鄭郑鄧邓釀酿鉛铅鉤钩銘铭鋪铺鋼钢錦锦鍾钟鎂镁鏈链鑼锣鑽钻閃闪閣阁闊阔闡阐雞鸡靂雳頂顶頌颂頒颁頗颇飼饲"
    "飽饱飾饰餅饼饒饶駁驳駐驻騷骚驕骄驟骤鬍胡鬚须鯉鲤鵝鹅鶴鹤黴霉齒齿齋斋擲掷攪搅攙搀癱瘫謂谓"
)
_SIMPLIFY = str.maketrans(dict(zip(_SCRIPTS[::2], _SCRIPTS[1::2], strict=True)))

# The stickers of WeChat arrive as text; [OK] alone says something.
_STICKER = re.compile(
    r"\[(微笑|呲牙|偷笑|愉快|抱拳|合十|强|弱|握手|胜利|拳头|玫瑰|凋谢|爱心|心碎|拥抱|捂脸|破涕为笑|笑脸|流泪|大哭|苦涩|裂开|叹气|难过|委屈|快哭了"
    r"|抓狂|发怒|惊讶|疑问|晕|衰|再见|鼓掌|害羞|调皮|得意|可怜|奸笑|嘿哈|机智|耶|旺柴|社会社会|加油|汗|天啊|让我看看|哇|翻白眼|吃瓜|打脸|咖啡|蛋糕"
    r"|庆祝|礼物|红包|發|福|月亮|太阳|撇嘴|色|发呆|酷|鄙视|生病|脸红|恐惧|失望|无语|嘴唇|猪头|闭嘴|睡|尴尬|困|咒骂|嘘|骷髅|敲打|擦汗|抠鼻|坏笑|阴险|亲亲)\]"
)
# 活著, 看著 are written with the character of 著作, which must stay itself.
_AUTHORED = re.compile(r"(?<![名专编译原显])著(?![名作述称录])")
_OK_STICKER = re.compile(r"\[ok\]")
_BLANKS = re.compile(r"\s+")
_RUN = re.compile(r"([^\w\s])\1+")


def normalise(text: str, *, limit: int = LONGEST) -> str:
    """The words of a message as the classifier and the rules read them.

    Full width becomes half, traditional characters simplified, letters small; control, format (right to left
    marks, zero width) and private characters, lone surrogates, stickers and emoji go; blanks and runs of one
    punctuation mark shrink to one.

    Args:
        text: any string whatever.
        limit: code points looked at, and at most returned.

    Returns:
        The same for its own result; empty when no letter, digit or character of a script is left.

    """
    lower = unicodedata.normalize("NFKC", text[:limit]).lower()
    plain = "".join(map(_visible, lower)).translate(_SIMPLIFY)
    plain = _AUTHORED.sub("着", plain)
    plain = _STICKER.sub(" ", _OK_STICKER.sub(" ok ", plain))
    plain = _RUN.sub(r"\1", _BLANKS.sub(" ", plain)).strip()[:limit].strip()
    return plain if any(map(str.isalnum, plain)) else ""


def simplified(text: str) -> str:
    """Traditional characters as simplified ones, one for one."""
    return text.translate(_SIMPLIFY)


@lru_cache(maxsize=1 << 14)
def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category in {"Zs", "Zl", "Zp"} or char in "\t\n\r\v\f":
        return " "
    return "" if category[0] in "CM" or category in {"So", "Sk"} else char


def syllables(text: str) -> list[str]:
    """The toneless pinyin of a normalised text, a syllable each; runs of other letters and digits stay whole.

    Each character has its commonest reading whatever stands beside it, so that a homophone typed by mistake
    sounds the same as what was meant. About 0.02 ms for a message of twenty characters.
    """
    return [token for run in _WORDS.findall(text) for token in (map(reading, run) if run[0] > "⺀" else (run,))]


_WORDS = re.compile(r"[⺀-鿿豈-﫿\U00020000-\U0003ffff]+|[a-z0-9#]+")


@lru_cache(maxsize=1 << 14)
def reading(char: str) -> str:
    """The commonest toneless pinyin of one character (itself when it has none)."""
    found: str = _pinyin().lazy_pinyin(char)[0]
    return found.replace("ü", "v")


@lru_cache(maxsize=1 << 14)
def readings(char: str) -> frozenset[str]:
    """All toneless readings of one character (itself when it has none)."""
    pinyin = _pinyin()
    return frozenset(
        each.replace("ü", "v") for each in pinyin.pinyin(char, style=pinyin.Style.NORMAL, heteronym=True)[0]
    )


@cache
def _pinyin() -> Any:
    # Characters alone are asked for; the phrases would take 0.3 s and 45 MB, a copy of the table 3 MB.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")
    return import_module("pypinyin")


@cache
def two_character_words() -> frozenset[str]:
    """The words of two characters that a dictionary knows, about 20,000 of them, 3 MB."""
    listed = files("pypinyin").joinpath("phrases_dict.json").read_text(encoding="utf-8")
    return frozenset(re.findall('^"(..)": ', listed, re.MULTILINE))
